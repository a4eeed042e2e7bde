//! What a task asks and says while it runs, and how it ends.
use crate::abi::{self, Context, Host};
use crate::{Json, Signature};
use std::any::TypeId;
use std::ffi::{CStr, CString};
use std::io;
use std::marker::PhantomData;
use std::os::raw::{c_char, c_int};
use std::ptr;

/// How a task ends, if not with a result.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub(crate) ending: Ending,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ending {
    Failure { kind: String, module: Option<String>, message: String },
    Retry { countdown: f64, reason: String },
    Reject { reason: String, requeue: bool },
    Ignore,
    Replaced,
}

impl Failure {
    /// An exception for the caller: `Failure::new("ValueError", "width must be positive")`. Python clients see a built-in
    /// exception of that name if there is one.
    pub fn new(kind: &str, message: &str) -> Failure {
        const BUILTINS: [&str; 20] = [
            "ArithmeticError", "AssertionError", "AttributeError", "EOFError", "FileExistsError", "FileNotFoundError",
            "IndexError", "KeyError", "LookupError", "MemoryError", "NotImplementedError", "OSError", "OverflowError",
            "PermissionError", "RuntimeError", "TimeoutError", "TypeError", "UnicodeError", "ValueError",
            "ZeroDivisionError",
        ];
        let module = if kind == "SoftTimeLimitExceeded" {
            Some("billiard.exceptions".to_string())
        } else if BUILTINS.contains(&kind) {
            Some("builtins".to_string())
        } else {
            None
        };
        Failure { ending: Ending::Failure { kind: kind.to_string(), module, message: message.to_string() } }
    }

    /// Not a failure: run it again after so many seconds; < 0: as the task's options say.
    pub fn retry(countdown: f64, reason: &str) -> Failure {
        Failure { ending: Ending::Retry { countdown, reason: reason.to_string() } }
    }

    /// Give the message up (it is dead-lettered), or back to the queue.
    pub fn reject(reason: &str, requeue: bool) -> Failure {
        Failure { ending: Ending::Reject { reason: reason.to_string(), requeue } }
    }

    /// Done, and no result is stored.
    pub fn ignore() -> Failure {
        Failure { ending: Ending::Ignore }
    }

    /// "ValueError"; of other endings "Retry", "Reject", "Ignore", "Replaced".
    pub fn kind(&self) -> &str {
        match &self.ending {
            Ending::Failure { kind, .. } => kind,
            Ending::Retry { .. } => "Retry",
            Ending::Reject { .. } => "Reject",
            Ending::Ignore => "Ignore",
            Ending::Replaced => "Replaced",
        }
    }

    /// The failure's message, or the reason.
    pub fn message(&self) -> &str {
        match &self.ending {
            Ending::Failure { message, .. } => message,
            Ending::Retry { reason, .. } | Ending::Reject { reason, .. } => reason,
            Ending::Ignore | Ending::Replaced => "",
        }
    }

    /// The same, about a parameter.
    pub(crate) fn of_argument(self, name: &str) -> Failure {
        match self.ending {
            Ending::Failure { kind, message, .. } => {
                Failure::new(&kind, &format!("argument '{}' {}", name, message))
            }
            ending => Failure { ending },
        }
    }
}

/// Any error is a failure of its type's name: `std::num::ParseIntError` is ParseIntError of the module std.num.
/// `std::io::Error` is Python's: FileNotFoundError, PermissionError …, else OSError.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Failure {
        if identity(&error) == TypeId::of::<io::Error>() {
            // It borrows nothing, so it is this very type.
            let error = unsafe { &*(&error as *const E as *const io::Error) };
            return Failure::new(of_python(error.kind()), &error.to_string());
        }
        let whole = std::any::type_name::<E>();
        let plain = whole.split('<').next().unwrap_or(whole);
        let mut parts: Vec<&str> = plain.split("::").collect();
        let kind = parts.pop().unwrap_or("Error").to_string();
        let module = if parts.is_empty() { None } else { Some(parts.join(".")) };
        Failure { ending: Ending::Failure { kind, module, message: error.to_string() } }
    }
}

/// Of errors that borrow something, too (a lock's PoisonError), for which there is no `TypeId::of`: lifetimes are no part of it.
fn identity<E>(_: &E) -> TypeId {
    trait Identified {
        fn identity(&self) -> TypeId
        where
            Self: 'static;
    }
    impl<T> Identified for PhantomData<T> {
        fn identity(&self) -> TypeId
        where
            Self: 'static,
        {
            TypeId::of::<T>()
        }
    }
    let place = PhantomData::<E>;
    unsafe { std::mem::transmute::<&dyn Identified, &(dyn Identified + 'static)>(&place) }.identity()
}

/// The built-in exception that Python raises for it.
fn of_python(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::NotFound => "FileNotFoundError",
        io::ErrorKind::PermissionDenied => "PermissionError",
        io::ErrorKind::AlreadyExists => "FileExistsError",
        io::ErrorKind::TimedOut => "TimeoutError",
        io::ErrorKind::UnexpectedEof => "EOFError",
        _ => "OSError",
    }
}

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Level {
    Debug = 0,
    Info = 1,
    Warning = 2,
    Error = 3,
}

/// One task being run.
pub struct Task<'a> {
    pub(crate) context: *mut Context,
    pub(crate) host: &'a Host,
    pub(crate) lifetime: PhantomData<&'a ()>,
}

impl Task<'_> {
    pub fn id(&self) -> String {
        self.text(abi::TEXT_ID)
    }

    pub fn name(&self) -> String {
        self.text(abi::TEXT_NAME)
    }

    pub fn queue(&self) -> String {
        self.text(abi::TEXT_QUEUE)
    }

    /// All message headers.
    pub fn headers(&self) -> Result<Json, Failure> {
        Json::parse(&self.text(abi::TEXT_HEADERS))
    }

    /// How often it was tried before: 0 the first time.
    pub fn retries(&self) -> u32 {
        self.number(abi::NUMBER_RETRIES) as u32
    }

    /// Seconds to the hard limit; infinite without one.
    pub fn time_left(&self) -> f64 {
        self.number(abi::NUMBER_TIME_LEFT)
    }

    /// True from the soft limit (or a revocation) on: clean up and return.
    pub fn should_stop(&self) -> bool {
        unsafe { (self.host.should_stop)(self.context) }
    }

    /// From then on what Celery's clients know as SoftTimeLimitExceeded.
    pub fn check_stop(&self) -> Result<(), Failure> {
        if self.should_stop() {
            return Err(Failure::new("SoftTimeLimitExceeded", "the task was asked to stop"));
        }
        Ok(())
    }

    /// For poll(): readable from then on. Neither read nor close it.
    pub fn stop_fd(&self) -> i32 {
        unsafe { (self.host.stop_fd)(self.context) }
    }

    /// State PROGRESS with "done" and "total", and for who reads Celery's examples and celery-progress the same as
    /// "current" and "percent".
    pub fn progress(&self, done: u64, total: u64) {
        let percent = if total > 0 { (1e4 * done as f64 / total as f64).round() / 100.0 } else { 0.0 };
        let meta = [
            ("done", Json::Int(done as i64)), ("total", Json::Int(total as i64)), ("current", Json::Int(done as i64)),
            ("percent", Json::Float(percent)),
        ];
        let members = meta.iter().map(|(key, value)| (key.to_string(), value.clone())).collect();
        self.state("PROGRESS", &Json::Object(members));
    }

    /// A state of its own: an upper case word, with something to know about it.
    pub fn state(&self, name: &str, meta: &Json) {
        let (name, meta) = (c_text(name), meta.to_string());
        unsafe { (self.host.update_state)(self.context, name.as_ptr(), meta.as_ptr() as *const c_char, meta.len()) }
    }

    /// A line for the host's log.
    pub fn log(&self, level: Level, line: &str) {
        unsafe { (self.host.log)(self.context, level as c_int, line.as_ptr() as *const c_char, line.len()) }
    }

    /// Published while the task runs on. The new task's id.
    pub fn send(&self, signature: &Signature) -> Result<String, Failure> {
        let mut id = [0 as c_char; abi::ID_SIZE];
        let text = signature.json().to_string();
        let is_sent = unsafe {
            (self.host.new_id)(id.as_mut_ptr());
            (self.host.send)(self.context, id.as_ptr(), text.as_ptr() as *const c_char, text.len())
        };
        if !is_sent {
            return Err(Failure::new("ValueError", "the signature cannot be sent"));
        }
        Ok(unsafe { CStr::from_ptr(id.as_ptr()) }.to_string_lossy().into_owned())
    }

    /// The signature takes this task's place and gives its result: `return Err(task.replace(…))`.
    pub fn replace(&self, signature: &Signature) -> Failure {
        let text = signature.json().to_string();
        unsafe { (self.host.replace)(self.context, text.as_ptr() as *const c_char, text.len()) };
        Failure { ending: Ending::Replaced }
    }

    fn text(&self, which: c_int) -> String {
        let mut length = 0;
        let text = unsafe { (self.host.text)(self.context, which, &mut length) };
        if text.is_null() {
            return String::new();
        }
        let bytes = unsafe { std::slice::from_raw_parts(text as *const u8, length) };
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn number(&self, which: c_int) -> f64 {
        unsafe { (self.host.number)(self.context, which) }
    }

    pub(crate) fn end(&self, result: Result<Json, Failure>) {
        match result {
            Ok(value) => {
                let text = value.to_string();
                unsafe { (self.host.succeed)(self.context, text.as_ptr() as *const c_char, text.len()) }
            }
            Err(failure) => self.end_otherwise(failure.ending),
        }
    }

    fn end_otherwise(&self, ending: Ending) {
        match ending {
            Ending::Failure { kind, module, message } => {
                let (kind, message, module) = (c_text(&kind), c_text(&message), module.map(|text| c_text(&text)));
                let module = module.as_ref().map_or(ptr::null(), |text| text.as_ptr());
                unsafe {
                    (self.host.fail)(
                        self.context, kind.as_ptr(), module, message.as_ptr(), ptr::null(), ptr::null(),
                    )
                }
            }
            Ending::Retry { countdown, reason } => {
                let reason = c_text(&reason);
                unsafe { (self.host.retry)(self.context, countdown, -2, reason.as_ptr()) }
            }
            Ending::Reject { reason, requeue } => {
                let reason = c_text(&reason);
                unsafe { (self.host.reject)(self.context, reason.as_ptr(), requeue) }
            }
            Ending::Ignore => unsafe { (self.host.ignore)(self.context) },
            Ending::Replaced => {}
        }
    }
}

/// C's texts end at a NUL, so there is none in them.
pub(crate) fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn errors_of_the_system_are_pythons() {
        let kinds = [
            (io::ErrorKind::NotFound, "FileNotFoundError"), (io::ErrorKind::PermissionDenied, "PermissionError"),
            (io::ErrorKind::AlreadyExists, "FileExistsError"), (io::ErrorKind::TimedOut, "TimeoutError"),
            (io::ErrorKind::UnexpectedEof, "EOFError"), (io::ErrorKind::Other, "OSError"),
        ];
        for (kind, name) in kinds {
            assert_eq!(Failure::from(io::Error::from(kind)), Failure::new(name, &io::Error::from(kind).to_string()));
        }
    }

    #[test]
    fn other_errors_keep_their_types_name_though_they_borrow() {
        fn locked(lock: &Mutex<i64>) -> Result<i64, Failure> {
            Ok(*lock.lock()?)
        }
        let lock = Mutex::new(1);
        assert_eq!(locked(&lock).unwrap(), 1);
        let thread = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _held = lock.lock();
            std::panic::resume_unwind(Box::new(()));
        }));
        assert!(thread.is_err());
        assert_eq!(locked(&lock).unwrap_err().kind(), "PoisonError");
    }

    #[test]
    fn numbers_texts_and_lists_become_json() {
        let made: Vec<Json> = vec![
            true.into(), 3.into(), 7u8.into(), 2.0.into(), "a".into(), "b".to_string().into(), vec![1i64, 2].into(),
            vec![vec!["c"]].into(), Json::Null.into(),
        ];
        assert_eq!(Json::from(made).to_string(), r#"[true,3,7,2.0,"a","b",[1,2],[["c"]],null]"#);
    }
}
