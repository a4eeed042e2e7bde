//! From `bundle!` to the host, and from the host to a function.
use crate::abi::{self, BundleInfo, Context, Host, Slice, TaskInfo, TaskOptions};
use crate::task::c_text;
use crate::{Failure, Json, Task, Value};
use std::ffi::{c_void, CString};
use std::marker::PhantomData;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;

/// What a task asks for: `Options { soft_limit: 5.0, ..Options::NONE }`. Empty, 0 and None: as the operator says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// "" : the bundle's name, a dot, the function's.
    pub name: &'static str,
    pub doc: &'static str,
    pub queue: &'static str,
    /// Seconds from the start.
    pub soft_limit: f64,
    pub hard_limit: f64,
    /// Retries after the first attempt; -1: none; `i32::MAX`: without end.
    pub max_retries: i32,
    pub retry_delay: f64,
    /// > 0: failures are retried by themselves after this, twice this …
    pub retry_backoff: f64,
    pub retry_backoff_max: f64,
    pub retry_jitter: Option<bool>,
    pub autoretry: Option<bool>,
    /// "TimeoutError, OSError"
    pub autoretry_for: &'static str,
    pub dont_autoretry_for: &'static str,
    pub acks_late: Option<bool>,
    pub acks_on_failure: Option<bool>,
    pub acks_on_timeout: Option<bool>,
    pub reject_on_worker_lost: Option<bool>,
    pub track_started: Option<bool>,
    pub ignore_result: Option<bool>,
    pub store_errors_even_if_ignored: Option<bool>,
    pub takes_failure: Option<bool>,
    pub max_starts: i32,
    /// One child may serve so many tasks in turn.
    pub keep: i32,
    /// MiB
    pub memory_limit: i32,
    pub max_concurrent: i32,
    /// "10/s", "100/m", "1000/h"
    pub rate_limit: &'static str,
    pub limit_scope: &'static str,
    pub limit_key: &'static str,
}

impl Options {
    pub const NONE: Options = Options {
        name: "", doc: "", queue: "", soft_limit: 0.0, hard_limit: 0.0, max_retries: 0, retry_delay: 0.0,
        retry_backoff: 0.0, retry_backoff_max: 0.0, retry_jitter: None, autoretry: None, autoretry_for: "",
        dont_autoretry_for: "", acks_late: None, acks_on_failure: None, acks_on_timeout: None,
        reject_on_worker_lost: None, track_started: None, ignore_result: None,
        store_errors_even_if_ignored: None, takes_failure: None, max_starts: 0,
        keep: 0, memory_limit: 0, max_concurrent: 0, rate_limit: "", limit_scope: "", limit_key: "",
    };
}

type Call = fn(&Task, &[Slice]) -> Result<Json, Failure>;

pub struct Declared {
    pub name: &'static str,
    pub signature: String,
    pub options: Options,
    pub call: Call,
}

/// What a handler is given as its `user`.
struct Registered {
    call: Call,
    parameters: usize,
    host: *const Host,
}

/// "x:Int,y:Int=1->Int"
pub fn signature(parameters: &[(&str, String, Option<Json>)], result: &str) -> String {
    let texts: Vec<String> = parameters
        .iter()
        .map(|(name, kind, fallback)| {
            let fallback = fallback.as_ref().map_or(String::new(), |value| format!("={}", value));
            format!("{}:{}{}", name, kind, fallback)
        })
        .collect();
    format!("{}->{}", texts.join(","), result)
}

/// # Safety
/// `host` is what the host calls the bundle's entry with.
pub unsafe fn register(host: *const Host, name: &str, version: &str, tasks: Vec<Declared>) -> i32 {
    let (name, version) = (c_text(name), c_text(version));
    let sdk = c_text(&format!("{}.{}.0 rust", abi::MAJOR, abi::MINOR));
    let info = BundleInfo {
        size: std::mem::size_of::<BundleInfo>() as u32, abi_major: abi::MAJOR, abi_minor: abi::MINOR,
        name: name.as_ptr(), version: version.as_ptr(), sdk: sdk.as_ptr(),
    };
    let mut refusal = ((*host).describe)(&info);
    for task in tasks {
        if refusal != 0 {
            break;
        }
        refusal = add(host, task);
    }
    refusal
}

unsafe fn add(host: *const Host, task: Declared) -> i32 {
    let mut texts = Texts(Vec::new());
    let options = c_options(&task.options, &mut texts);
    // Lives as long as the bundle, which is never unloaded while its tasks run.
    let user = Box::into_raw(Box::new(Registered {
        call: task.call, parameters: parameters(&task.signature), host,
    }));
    let info = TaskInfo {
        size: std::mem::size_of::<TaskInfo>() as u32, flags: 0, name: texts.add(task.name),
        signature: texts.add(&task.signature), function: None, handler: Some(run), user: user as *mut c_void,
        options: &options,
    };
    ((*host).add)(&info)
}

/// Of a signature that `signature` has made. Defaults may hold commas, so the names are counted.
fn parameters(text: &str) -> usize {
    let (mut depth, mut quoted, mut escaped, mut count) = (0, false, false, 0);
    let head = &text[..text.rfind("->").unwrap_or(0)];
    for letter in head.chars() {
        if quoted {
            quoted = letter != '"' || escaped;
            escaped = letter == '\\' && !escaped;
            continue;
        }
        match letter {
            '"' => quoted = true,
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            ',' if depth == 0 => count += 1,
            _ => {}
        }
    }
    if head.is_empty() { 0 } else { count + 1 }
}

unsafe extern "C" fn run(context: *mut Context, user: *mut c_void) {
    let registered = &*(user as *const Registered);
    let host = &*registered.host;
    let slices = (host.bind)(context, ptr::null_mut());
    if slices.is_null() {
        return;
    }
    let task = Task { context, host, lifetime: PhantomData };
    let arguments = std::slice::from_raw_parts(slices, registered.parameters);
    let outcome = catch_unwind(AssertUnwindSafe(|| (registered.call)(&task, arguments)));
    task.end(outcome.unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()))
            .unwrap_or_else(|| "the task panicked".to_string());
        Err(Failure::new("Panic", &message))
    }));
}

/// Gives a default the type of its parameter.
pub fn same<T>(value: T) -> T {
    value
}

/// The slices of one call, taken in order.
pub struct Arguments<'a> {
    rest: std::slice::Iter<'a, Slice>,
}

impl<'a> Arguments<'a> {
    pub fn new(slices: &'a [Slice]) -> Arguments<'a> {
        Arguments { rest: slices.iter() }
    }
}

/// The next argument, or its default.
pub fn argument<T: Value>(arguments: &mut Arguments, name: &str, fallback: Option<T>) -> Result<T, Failure> {
    let slice = arguments.rest.next().filter(|slice| !slice.text.is_null());
    let slice = match (slice, fallback) {
        (Some(slice), _) => slice,
        (None, Some(value)) => return Ok(value),
        (None, None) => return Err(Failure::new("TypeError", "is missing").of_argument(name)),
    };
    let bytes = unsafe { std::slice::from_raw_parts(slice.text as *const u8, slice.length) };
    let text = std::str::from_utf8(bytes)?;
    T::from_json(&Json::parse(text)?).map_err(|failure| failure.of_argument(name))
}

/// Texts that live until the host has copied them.
struct Texts(Vec<CString>);

impl Texts {
    fn add(&mut self, text: &str) -> *const std::os::raw::c_char {
        if text.is_empty() {
            return ptr::null();
        }
        let text = c_text(text);
        let place = text.as_ptr();
        self.0.push(text);
        place
    }
}

fn three_valued(value: Option<bool>) -> i32 {
    match value {
        None => 0,
        Some(true) => 1,
        Some(false) => -1,
    }
}

fn c_options(options: &Options, texts: &mut Texts) -> TaskOptions {
    TaskOptions {
        size: std::mem::size_of::<TaskOptions>() as u32,
        max_retries: options.max_retries,
        name: texts.add(options.name),
        soft_limit: options.soft_limit,
        hard_limit: options.hard_limit,
        retry_delay: options.retry_delay,
        retry_backoff: options.retry_backoff,
        retry_backoff_max: options.retry_backoff_max,
        retry_jitter: three_valued(options.retry_jitter),
        autoretry: three_valued(options.autoretry),
        acks_late: three_valued(options.acks_late),
        track_started: three_valued(options.track_started),
        ignore_result: three_valued(options.ignore_result),
        max_starts: options.max_starts,
        keep: options.keep,
        reserved0: 0,
        queue: texts.add(options.queue),
        rate_limit: texts.add(options.rate_limit),
        doc: texts.add(options.doc),
        takes_failure: three_valued(options.takes_failure),
        acks_on_failure: three_valued(options.acks_on_failure),
        acks_on_timeout: three_valued(options.acks_on_timeout),
        reject_on_worker_lost: three_valued(options.reject_on_worker_lost),
        memory_limit: options.memory_limit,
        max_concurrent: options.max_concurrent,
        limit_scope: texts.add(options.limit_scope),
        limit_key: texts.add(options.limit_key),
        autoretry_for: texts.add(options.autoretry_for),
        dont_autoretry_for: texts.add(options.dont_autoretry_for),
        store_errors_even_if_ignored: three_valued(options.store_errors_even_if_ignored),
    }
}
