//! Rust types from and to JSON.
use crate::{Failure, Json};
use std::collections::{BTreeMap, HashMap};

/// A type that can be a parameter or a result. Implement it for types of your own.
pub trait Value: Sized {
    /// For `taskhost bundles`: "Int", "[String]", "Point".
    fn type_name() -> String;
    /// `Err` with a text that follows the parameter's name: "must be int, not str".
    fn from_json(json: &Json) -> Result<Self, Failure>;
    fn to_json(&self) -> Json;
}

fn mismatch<T>(wanted: &str, json: &Json) -> Result<T, Failure> {
    Err(Failure::new("TypeError", &format!("must be {}, not {}", wanted, json.kind())))
}

macro_rules! integers {
    ($($type:ty = $name:expr),*) => {$(
        impl Value for $type {
            fn type_name() -> String {
                $name.to_string()
            }
            fn from_json(json: &Json) -> Result<Self, Failure> {
                match json {
                    Json::Int(number) => <$type>::try_from(*number).map_err(|_| {
                        Failure::new("OverflowError", &format!("is {}, which does not fit {}", number, $name))
                    }),
                    other => mismatch("int", other),
                }
            }
            fn to_json(&self) -> Json {
                i64::try_from(*self).map(Json::Int).unwrap_or(Json::Float(*self as f64))
            }
        }
    )*};
}
integers!(
    i8 = "Int8", i16 = "Int16", i32 = "Int32", i64 = "Int", u8 = "UInt8", u16 = "UInt16", u32 = "UInt32", u64 = "UInt",
    usize = "UInt", isize = "Int"
);

macro_rules! floats {
    ($($type:ty),*) => {$(
        impl Value for $type {
            fn type_name() -> String {
                "Double".to_string()
            }
            fn from_json(json: &Json) -> Result<Self, Failure> {
                match json {
                    Json::Int(number) => Ok(*number as $type),
                    Json::Float(number) => Ok(*number as $type),
                    other => mismatch("float", other),
                }
            }
            fn to_json(&self) -> Json {
                Json::Float(f64::from(*self))
            }
        }
    )*};
}
floats!(f32, f64);

impl Value for bool {
    fn type_name() -> String {
        "Bool".to_string()
    }
    fn from_json(json: &Json) -> Result<Self, Failure> {
        match json {
            Json::Bool(flag) => Ok(*flag),
            other => mismatch("bool", other),
        }
    }
    fn to_json(&self) -> Json {
        Json::Bool(*self)
    }
}

impl Value for String {
    fn type_name() -> String {
        "String".to_string()
    }
    fn from_json(json: &Json) -> Result<Self, Failure> {
        match json {
            Json::Text(text) => Ok(text.clone()),
            other => mismatch("str", other),
        }
    }
    fn to_json(&self) -> Json {
        Json::Text(self.clone())
    }
}

impl Value for Json {
    fn type_name() -> String {
        "JSON".to_string()
    }
    fn from_json(json: &Json) -> Result<Self, Failure> {
        Ok(json.clone())
    }
    fn to_json(&self) -> Json {
        self.clone()
    }
}

impl Value for () {
    fn type_name() -> String {
        "Void".to_string()
    }
    fn from_json(_: &Json) -> Result<Self, Failure> {
        Ok(())
    }
    fn to_json(&self) -> Json {
        Json::Null
    }
}

impl<T: Value> Value for Option<T> {
    fn type_name() -> String {
        format!("{}?", T::type_name())
    }
    fn from_json(json: &Json) -> Result<Self, Failure> {
        match json {
            Json::Null => Ok(None),
            other => T::from_json(other).map(Some),
        }
    }
    fn to_json(&self) -> Json {
        self.as_ref().map_or(Json::Null, Value::to_json)
    }
}

impl<T: Value> Value for Vec<T> {
    fn type_name() -> String {
        format!("[{}]", T::type_name())
    }
    fn from_json(json: &Json) -> Result<Self, Failure> {
        match json {
            Json::Array(elements) => elements.iter().map(T::from_json).collect(),
            other => mismatch("list", other),
        }
    }
    fn to_json(&self) -> Json {
        Json::Array(self.iter().map(Value::to_json).collect())
    }
}

macro_rules! maps {
    ($($map:ident),*) => {$(
        impl<T: Value> Value for $map<String, T> {
            fn type_name() -> String {
                format!("[String:{}]", T::type_name())
            }
            fn from_json(json: &Json) -> Result<Self, Failure> {
                match json {
                    Json::Object(members) => {
                        members.iter().map(|(key, value)| Ok((key.clone(), T::from_json(value)?))).collect()
                    }
                    other => mismatch("dict", other),
                }
            }
            fn to_json(&self) -> Json {
                Json::Object(self.iter().map(|(key, value)| (key.clone(), value.to_json())).collect())
            }
        }
    )*};
}
maps!(BTreeMap, HashMap);
