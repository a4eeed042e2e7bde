//! A host for unit tests: it remembers what tasks say, and its clock is the test's own.
//!
//! ```
//! # use taskhost::{Failure, Task};
//! # fn slow(task: &Task) -> Result<(), Failure> { task.check_stop() }
//! let test = taskhost::testing::Test::new();
//! test.limits(5.0, 10.0);
//! assert!(slow(&test.task()).is_ok());
//! test.advance(6.0);
//! assert_eq!(slow(&test.task()).unwrap_err().kind(), "SoftTimeLimitExceeded");
//! ```
use crate::abi::{self, BundleInfo, Context, Host, Slice, TaskInfo};
use crate::Task;
use std::cell::RefCell;
use std::ffi::{c_void, CStr, CString};
use std::marker::PhantomData;
use std::os::raw::{c_char, c_int};
use std::ptr;

#[derive(Default)]
struct Heard {
    now: f64,
    soft: f64,
    hard: f64,
    stopping: bool,
    retries: u32,
    states: Vec<String>,
    lines: Vec<String>,
    sent: Vec<String>,
    ids: u32,
    body: CString,
}

/// One task being tested. It neither forks nor kills nor sends; `taskhost run` does the first two.
pub struct Test {
    heard: Box<RefCell<Heard>>,
}

impl Default for Test {
    fn default() -> Self {
        Test::new()
    }
}

impl Test {
    pub fn new() -> Test {
        Test { heard: Box::new(RefCell::new(Heard::default())) }
    }

    /// What the function under test is called with.
    pub fn task(&self) -> Task<'_> {
        let place: *const RefCell<Heard> = &*self.heard;
        Task { context: place as *mut Context, host: &HOST, lifetime: PhantomData }
    }

    /// Seconds; 0: none.
    pub fn limits(&self, soft: f64, hard: f64) {
        let mut heard = self.heard.borrow_mut();
        heard.soft = soft;
        heard.hard = hard;
    }

    /// Lets time pass: at the soft limit the task is asked to stop.
    pub fn advance(&self, seconds: f64) {
        let mut heard = self.heard.borrow_mut();
        heard.now += seconds;
        heard.stopping = heard.stopping || (heard.soft > 0.0 && heard.now >= heard.soft);
    }

    /// Asks the task to stop, as a revocation does.
    pub fn stop(&self) {
        self.heard.borrow_mut().stopping = true;
    }

    /// How often it was tried before.
    pub fn set_retries(&self, count: u32) {
        self.heard.borrow_mut().retries = count;
    }

    /// "PROGRESS {…}" for each state that was set.
    pub fn states(&self) -> Vec<String> {
        self.heard.borrow().states.clone()
    }

    /// The log.
    pub fn lines(&self) -> Vec<String> {
        self.heard.borrow().lines.clone()
    }

    /// Signatures that were sent, and one that replaces the task, as JSON.
    pub fn sent(&self) -> Vec<String> {
        self.heard.borrow().sent.clone()
    }
}

unsafe fn heard<'a>(context: *const Context) -> &'a RefCell<Heard> {
    &*(context as *const RefCell<Heard>)
}

unsafe fn copied(text: *const c_char, length: usize) -> String {
    String::from_utf8_lossy(std::slice::from_raw_parts(text as *const u8, length)).into_owned()
}

unsafe extern "C" fn describe(_: *const BundleInfo) -> c_int {
    0
}
unsafe extern "C" fn add(_: *const TaskInfo) -> c_int {
    0
}
unsafe extern "C" fn text(context: *const Context, which: c_int, length: *mut usize) -> *const c_char {
    let mut heard = heard(context).borrow_mut();
    heard.body = CString::new(match which {
        abi::TEXT_ID => "00000000-0000-4000-8000-000000000000",
        abi::TEXT_NAME => "test",
        abi::TEXT_QUEUE => "celery",
        abi::TEXT_BODY => "[[], {}, {}]",
        _ => "{}",
    })
    .unwrap_or_default();
    if !length.is_null() {
        *length = heard.body.as_bytes().len();
    }
    heard.body.as_ptr()
}
unsafe extern "C" fn number(context: *const Context, which: c_int) -> f64 {
    let heard = heard(context).borrow();
    match which {
        abi::NUMBER_RETRIES => f64::from(heard.retries),
        abi::NUMBER_SOFT_LIMIT => heard.soft,
        abi::NUMBER_HARD_LIMIT => heard.hard,
        abi::NUMBER_TIME_LEFT if heard.hard > 0.0 => heard.hard - heard.now,
        abi::NUMBER_TIME_LEFT => f64::INFINITY,
        _ => 0.0,
    }
}
unsafe extern "C" fn should_stop(context: *const Context) -> bool {
    heard(context).borrow().stopping
}
unsafe extern "C" fn stop_fd(_: *mut Context) -> c_int {
    -1
}
unsafe extern "C" fn update_state(context: *mut Context, state: *const c_char, meta: *const c_char, length: usize) {
    let line = format!("{} {}", CStr::from_ptr(state).to_string_lossy(), copied(meta, length));
    heard(context).borrow_mut().states.push(line);
}
unsafe extern "C" fn log(context: *mut Context, _: c_int, line: *const c_char, length: usize) {
    heard(context).borrow_mut().lines.push(copied(line, length));
}
unsafe extern "C" fn succeed(_: *mut Context, _: *const c_char, _: usize) {}
unsafe extern "C" fn fail(
    _: *mut Context, _: *const c_char, _: *const c_char, _: *const c_char, _: *const c_char, _: *const c_char,
) {
}
unsafe extern "C" fn retry(_: *mut Context, _: f64, _: c_int, _: *const c_char) {}
unsafe extern "C" fn reject(_: *mut Context, _: *const c_char, _: bool) {}
unsafe extern "C" fn ignore(_: *mut Context) {}
unsafe extern "C" fn new_id(id: *mut c_char) {
    let text = b"00000000-0000-4000-8000-000000000001\0";
    ptr::copy_nonoverlapping(text.as_ptr() as *const c_char, id, text.len());
}
unsafe extern "C" fn send(context: *mut Context, _: *const c_char, signature: *const c_char, length: usize) -> bool {
    let mut heard = heard(context).borrow_mut();
    heard.ids += 1;
    heard.sent.push(copied(signature, length));
    true
}
unsafe extern "C" fn replace(context: *mut Context, signature: *const c_char, length: usize) {
    heard(context).borrow_mut().sent.push(copied(signature, length));
}
unsafe extern "C" fn retry_with(_: *mut Context, _: *const c_void) {}
unsafe extern "C" fn schedule(_: *const c_void) -> c_int {
    0
}
unsafe extern "C" fn bind(_: *mut Context, _: *mut usize) -> *const Slice {
    ptr::null()
}

unsafe impl Sync for Host {}

static HOST: Host = Host {
    size: std::mem::size_of::<Host>() as u32,
    abi_major: abi::MAJOR,
    abi_minor: abi::MINOR,
    version: b"test\0".as_ptr() as *const c_char,
    describe,
    add,
    text,
    number,
    should_stop,
    stop_fd,
    update_state,
    log,
    succeed,
    fail,
    retry,
    reject,
    ignore,
    new_id,
    send,
    add_to_chord: send,
    replace,
    retry_with,
    schedule,
    bind,
};
