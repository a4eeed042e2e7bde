//! Calls to come, as Celery's clients write them.
use crate::Json;

/// A task with arguments, or several tasks in a chain, a group or a chord.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    json: Json,
}

impl Signature {
    pub fn new(task: &str, arguments: Vec<Json>) -> Signature {
        Signature::made(task, arguments, Vec::new(), Json::Null)
    }

    /// One after the other, each with the result of the one before it as its first argument.
    pub fn chain(steps: &[Signature]) -> Signature {
        Signature::several("chain", "tasks", steps)
    }

    /// At the same time.
    pub fn group(members: &[Signature]) -> Signature {
        Signature::several("group", "tasks", members)
    }

    /// At the same time, then `body` with the list of the results.
    pub fn chord(members: &[Signature], body: &Signature) -> Signature {
        let mut made = Signature::several("chord", "header", members);
        if let Some(Json::Object(kwargs)) = made.member("kwargs") {
            kwargs.push(("body".to_string(), body.json.clone()));
            kwargs.push(("kwargs".to_string(), Json::Object(Vec::new())));
        }
        made
    }

    /// With a keyword argument more.
    pub fn keyword(mut self, name: &str, value: Json) -> Signature {
        if let Some(Json::Object(kwargs)) = self.member("kwargs") {
            kwargs.push((name.to_string(), value));
        }
        self
    }

    /// With an option of Celery's: "queue", "countdown", "priority" …
    pub fn option(mut self, name: &str, value: Json) -> Signature {
        if let Some(Json::Object(options)) = self.member("options") {
            options.push((name.to_string(), value));
        }
        self
    }

    /// With its own arguments only, whatever ran before it.
    pub fn immutable(mut self) -> Signature {
        if let Some(flag) = self.member("immutable") {
            *flag = Json::Bool(true);
        }
        self
    }

    pub fn json(&self) -> &Json {
        &self.json
    }

    fn several(kind: &str, key: &str, list: &[Signature]) -> Signature {
        let steps = list.iter().map(|one| one.json.clone()).collect();
        Signature::made(
            &format!("celery.{}", kind), Vec::new(), vec![(key.to_string(), Json::Array(steps))],
            Json::Text(kind.to_string()),
        )
    }

    fn made(task: &str, arguments: Vec<Json>, keywords: Vec<(String, Json)>, kind: Json) -> Signature {
        let members = vec![
            ("task", Json::Text(task.to_string())), ("args", Json::Array(arguments)), ("kwargs", Json::Object(keywords)),
            ("options", Json::Object(Vec::new())), ("subtask_type", kind), ("immutable", Json::Bool(false)),
        ];
        Signature { json: Json::Object(members.into_iter().map(|(key, value)| (key.to_string(), value)).collect()) }
    }

    fn member(&mut self, key: &str) -> Option<&mut Json> {
        match &mut self.json {
            Json::Object(members) => members.iter_mut().find(|member| member.0 == key).map(|member| &mut member.1),
            _ => None,
        }
    }
}
