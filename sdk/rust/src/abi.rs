//! taskhost.h, field by field.
use std::os::raw::{c_char, c_int, c_void};

pub const MAJOR: u16 = 1;
pub const MINOR: u16 = 4;
pub const ID_SIZE: usize = 37;

pub enum Context {}

#[repr(C)]
pub struct BundleInfo {
    pub size: u32,
    pub abi_major: u16,
    pub abi_minor: u16,
    pub name: *const c_char,
    pub version: *const c_char,
    pub sdk: *const c_char,
}

#[repr(C)]
pub struct TaskOptions {
    pub size: u32,
    pub max_retries: i32,
    pub name: *const c_char,
    pub soft_limit: f64,
    pub hard_limit: f64,
    pub retry_delay: f64,
    pub retry_backoff: f64,
    pub retry_backoff_max: f64,
    pub retry_jitter: i32,
    pub autoretry: i32,
    pub acks_late: i32,
    pub track_started: i32,
    pub ignore_result: i32,
    pub max_starts: i32,
    pub keep: i32,
    pub reserved0: i32,
    pub queue: *const c_char,
    pub rate_limit: *const c_char,
    pub doc: *const c_char,
    pub takes_failure: i32,
    pub acks_on_failure: i32,
    pub acks_on_timeout: i32,
    pub reject_on_worker_lost: i32,
    pub memory_limit: i32,
    pub max_concurrent: i32,
    pub limit_scope: *const c_char,
    pub limit_key: *const c_char,
    pub autoretry_for: *const c_char,
    pub dont_autoretry_for: *const c_char,
    pub store_errors_even_if_ignored: i32,
}

pub type Handler = unsafe extern "C" fn(*mut Context, *mut c_void);

#[repr(C)]
pub struct TaskInfo {
    pub size: u32,
    pub flags: u32,
    pub name: *const c_char,
    pub signature: *const c_char,
    pub function: Option<unsafe extern "C" fn()>,
    pub handler: Option<Handler>,
    pub user: *mut c_void,
    pub options: *const TaskOptions,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Slice {
    pub text: *const c_char,
    pub length: usize,
}

pub const TEXT_ID: c_int = 1;
pub const TEXT_NAME: c_int = 2;
pub const TEXT_QUEUE: c_int = 6;
pub const TEXT_BODY: c_int = 7;
pub const TEXT_HEADERS: c_int = 8;
pub const NUMBER_RETRIES: c_int = 1;
pub const NUMBER_SOFT_LIMIT: c_int = 4;
pub const NUMBER_HARD_LIMIT: c_int = 5;
pub const NUMBER_TIME_LEFT: c_int = 6;

type Send = unsafe extern "C" fn(*mut Context, *const c_char, *const c_char, usize) -> bool;
type Say = unsafe extern "C" fn(*mut Context, *const c_char, usize);

/// The host's functions. Of 1.x more may follow; `size` says how much is there, and `describe` refuses a bundle that was
/// built for more.
#[repr(C)]
pub struct Host {
    pub size: u32,
    pub abi_major: u16,
    pub abi_minor: u16,
    pub version: *const c_char,
    pub describe: unsafe extern "C" fn(*const BundleInfo) -> c_int,
    pub add: unsafe extern "C" fn(*const TaskInfo) -> c_int,
    pub text: unsafe extern "C" fn(*const Context, c_int, *mut usize) -> *const c_char,
    pub number: unsafe extern "C" fn(*const Context, c_int) -> f64,
    pub should_stop: unsafe extern "C" fn(*const Context) -> bool,
    pub stop_fd: unsafe extern "C" fn(*mut Context) -> c_int,
    pub update_state: unsafe extern "C" fn(*mut Context, *const c_char, *const c_char, usize),
    pub log: unsafe extern "C" fn(*mut Context, c_int, *const c_char, usize),
    pub succeed: Say,
    pub fail: unsafe extern "C" fn(
        *mut Context, *const c_char, *const c_char, *const c_char, *const c_char, *const c_char,
    ),
    pub retry: unsafe extern "C" fn(*mut Context, f64, c_int, *const c_char),
    pub reject: unsafe extern "C" fn(*mut Context, *const c_char, bool),
    pub ignore: unsafe extern "C" fn(*mut Context),
    pub new_id: unsafe extern "C" fn(*mut c_char),
    pub send: Send,
    pub add_to_chord: Send,
    pub replace: Say,
    pub retry_with: unsafe extern "C" fn(*mut Context, *const c_void),
    pub schedule: unsafe extern "C" fn(*const c_void) -> c_int,
    pub bind: unsafe extern "C" fn(*mut Context, *mut usize) -> *const Slice,
}
