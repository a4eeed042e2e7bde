//! A JSON value, in the dialect that Python reads and writes: NaN and Infinity are numbers, integers are no floats.
use crate::{Failure, Value};
use std::fmt;

/// Any JSON value. Members keep their order. Integers beyond 64 bits become floats.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub fn parse(text: &str) -> Result<Json, Failure> {
        let mut parser = Parser { text, at: 0 };
        let value = parser.value(0)?;
        parser.space();
        if parser.at == text.len() {
            Ok(value)
        } else {
            Err(parser.failure())
        }
    }

    /// Of an object; of equal keys the last.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().rev().find(|member| member.0 == key).map(|member| &member.1),
            _ => None,
        }
    }

    /// Python's word for what it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null => "NoneType",
            Json::Bool(_) => "bool",
            Json::Int(_) => "int",
            Json::Float(_) => "float",
            Json::Text(_) => "str",
            Json::Array(_) => "list",
            Json::Object(_) => "dict",
        }
    }
}

/// What may be a task's parameter is JSON by `into()`, too: `Signature::new("mail.report", vec!["a".into(), 2.into()])`.
macro_rules! converted {
    ($($type:ty),*) => {$(
        impl From<$type> for Json {
            fn from(value: $type) -> Json {
                value.to_json()
            }
        }
    )*};
}
converted!(bool, i8, i16, i32, i64, isize, u8, u16, u32, u64, usize, f32, f64, String);

impl From<&str> for Json {
    fn from(text: &str) -> Json {
        Json::Text(text.to_string())
    }
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(elements: Vec<T>) -> Json {
        Json::Array(elements.into_iter().map(Into::into).collect())
    }
}

impl fmt::Display for Json {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => out.write_str("null"),
            Json::Bool(flag) => write!(out, "{}", flag),
            Json::Int(number) => write!(out, "{}", number),
            Json::Float(number) if number.is_nan() => out.write_str("NaN"),
            Json::Float(number) if number.is_infinite() => {
                out.write_str(if *number > 0.0 { "Infinity" } else { "-Infinity" })
            }
            Json::Float(number) => write!(out, "{:?}", number),
            Json::Text(text) => quote(text, out),
            Json::Array(elements) => {
                out.write_str("[")?;
                for (index, element) in elements.iter().enumerate() {
                    write!(out, "{}{}", if index > 0 { "," } else { "" }, element)?;
                }
                out.write_str("]")
            }
            Json::Object(members) => {
                out.write_str("{")?;
                for (index, (key, value)) in members.iter().enumerate() {
                    out.write_str(if index > 0 { "," } else { "" })?;
                    quote(key, out)?;
                    write!(out, ":{}", value)?;
                }
                out.write_str("}")
            }
        }
    }
}

fn quote(text: &str, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    out.write_str("\"")?;
    for letter in text.chars() {
        match letter {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            letter if (letter as u32) < 0x20 => write!(out, "\\u{:04x}", letter as u32)?,
            letter => write!(out, "{}", letter)?,
        }
    }
    out.write_str("\"")
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn failure(&self) -> Failure {
        Failure::new("ValueError", &format!("no JSON, at byte {}", self.at))
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(&[' ', '\t', '\n', '\r'][..]).len();
    }

    fn take(&mut self, word: &str) -> bool {
        let is_there = self.rest().starts_with(word);
        if is_there {
            self.at += word.len();
        }
        is_there
    }

    fn value(&mut self, depth: usize) -> Result<Json, Failure> {
        if depth > 500 {
            return Err(self.failure());
        }
        self.space();
        let words = [
            ("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false)),
            ("NaN", Json::Float(f64::NAN)), ("Infinity", Json::Float(f64::INFINITY)),
            ("-Infinity", Json::Float(f64::NEG_INFINITY)),
        ];
        for (word, value) in words {
            if self.take(word) {
                return Ok(value);
            }
        }
        match self.rest().chars().next() {
            Some('"') => self.string().map(Json::Text),
            Some('[') => self.array(depth),
            Some('{') => self.object(depth),
            _ => self.number(),
        }
    }

    fn number(&mut self) -> Result<Json, Failure> {
        let rest = self.rest();
        let end = rest.find(|letter: char| !"+-.0123456789eE".contains(letter)).unwrap_or(rest.len());
        let digits = &rest[..end];
        let value = match digits.parse::<i64>() {
            Ok(number) => Json::Int(number),
            Err(_) => Json::Float(digits.parse::<f64>().map_err(|_| self.failure())?),
        };
        self.at += end;
        Ok(value)
    }

    fn hex(&mut self) -> Result<u32, Failure> {
        let digits = self.rest().get(..4).ok_or_else(|| self.failure())?;
        let code = u32::from_str_radix(digits, 16).map_err(|_| self.failure())?;
        self.at += 4;
        Ok(code)
    }

    fn string(&mut self) -> Result<String, Failure> {
        let mut text = String::new();
        self.at += 1;
        loop {
            let letter = self.rest().chars().next().ok_or_else(|| self.failure())?;
            self.at += letter.len_utf8();
            match letter {
                '"' => return Ok(text),
                '\\' => text.push(self.escape()?),
                letter => text.push(letter),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Failure> {
        let letter = self.rest().chars().next().ok_or_else(|| self.failure())?;
        self.at += letter.len_utf8();
        Ok(match letter {
            '"' | '\\' | '/' => letter,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let mut code = self.hex()?;
                if (0xd800..0xdc00).contains(&code) && self.take("\\u") {
                    code = 0x10000 + ((code - 0xd800) << 10) + (self.hex()?.wrapping_sub(0xdc00) & 0x3ff);
                }
                // Half of a pair is no character of Rust's.
                char::from_u32(code).unwrap_or('\u{fffd}')
            }
            _ => return Err(self.failure()),
        })
    }

    fn array(&mut self, depth: usize) -> Result<Json, Failure> {
        let mut elements = Vec::new();
        self.at += 1;
        self.space();
        if self.take("]") {
            return Ok(Json::Array(elements));
        }
        loop {
            elements.push(self.value(depth + 1)?);
            self.space();
            if self.take("]") {
                return Ok(Json::Array(elements));
            }
            if !self.take(",") {
                return Err(self.failure());
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, Failure> {
        let mut members = Vec::new();
        self.at += 1;
        self.space();
        if self.take("}") {
            return Ok(Json::Object(members));
        }
        loop {
            self.space();
            if !self.rest().starts_with('"') {
                return Err(self.failure());
            }
            let key = self.string()?;
            self.space();
            if !self.take(":") {
                return Err(self.failure());
            }
            members.push((key, self.value(depth + 1)?));
            self.space();
            if self.take("}") {
                return Ok(Json::Object(members));
            }
            if !self.take(",") {
                return Err(self.failure());
            }
        }
    }
}
