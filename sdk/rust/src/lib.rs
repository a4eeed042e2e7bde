//! Tasks for taskhost in Rust.
//!
//! ```
//! use taskhost::{bundle, Failure, Options, Task};
//!
//! fn greet(task: &Task, name: String, times: u32) -> Result<String, Failure> {
//!     if times == 0 {
//!         return Err(Failure::new("ValueError", "times must be positive"));
//!     }
//!     task.progress(1, 1);
//!     Ok(vec![format!("Hello, {}!", name); times as usize].join(" "))
//! }
//!
//! bundle! {
//!     "greetings", "1.0.0",
//!     greet(name: String, times: u32 = 1) -> String = Options { doc: "Greets somebody.", ..Options::NONE },
//! }
//! # fn main() {}
//! ```
//!
//! A crate of type `cdylib` makes the bundle. Arguments bind as in Python; what does not fit is a `TypeError` in Python's
//! words, and the function is not called. An error that leaves a function by `?` is the task's failure, with its type's name
//! and its text, and so is a panic. `testing::Test` calls functions without a host.

mod abi;
mod json;
mod register;
mod signature;
mod task;
pub mod testing;
mod value;

pub use json::Json;
pub use register::Options;
pub use signature::Signature;
pub use task::{Failure, Level, Task};
pub use value::Value;

/// What `bundle!` needs; not for others.
#[doc(hidden)]
pub mod macros {
    pub use crate::abi::Host;
    pub use crate::register::{argument, register, same, signature, Arguments, Declared};
}

/// The bundle's name, its version, and its tasks: functions whose first parameter is `&Task`, with the names, types and
/// defaults of the others, the type of the result and, where there are some, the options. Once per crate.
#[macro_export]
macro_rules! bundle {
    ($name:expr, $version:expr,
     $($function:ident($($parameter:ident: $type:ty $(= $default:expr)?),* $(,)?) -> $result:ty $(= $options:expr)?),*
     $(,)?) => {
        #[no_mangle]
        pub unsafe extern "C" fn taskhost_bundle_v1(host: *const $crate::macros::Host) -> i32 {
            $crate::macros::register(host, $name, $version, vec![$(
                $crate::macros::Declared {
                    name: stringify!($function),
                    signature: $crate::macros::signature(
                        &[$((
                            stringify!($parameter),
                            <$type as $crate::Value>::type_name(),
                            None $(.or(Some($crate::Value::to_json(&$crate::macros::same::<$type>($default)))))?,
                        )),*],
                        &<$result as $crate::Value>::type_name(),
                    ),
                    options: None $(.or(Some($options)))?.unwrap_or($crate::Options::NONE),
                    call: |task, arguments| {
                        let mut _arguments = $crate::macros::Arguments::new(arguments);
                        let result: Result<$result, $crate::Failure> = $function(task $(, {
                            let fallback: Option<$type> = None $(.or(Some($crate::macros::same::<$type>($default))))?;
                            $crate::macros::argument::<$type>(&mut _arguments, stringify!($parameter), fallback)?
                        })*);
                        result.map(|value| $crate::Value::to_json(&value))
                    },
                }
            ),*])
        }
    };
}
