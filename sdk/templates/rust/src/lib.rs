//! example - tasks to start from. `taskhost dev` builds and serves them; the crate's documentation says what else there is.
use std::collections::BTreeMap;
use taskhost::{bundle, Failure, Options, Task};

fn add(_: &Task, x: i64, y: i64) -> Result<i64, Failure> {
    Ok(x + y)
}

fn words(task: &Task, text: String, least: i64) -> Result<BTreeMap<String, i64>, Failure> {
    if least < 1 {
        return Err(Failure::new("ValueError", "least must be positive"));
    }
    let mut found = BTreeMap::new();
    for word in text.split_whitespace() {
        task.check_stop()?;
        *found.entry(word.to_string()).or_insert(0) += 1;
    }
    found.retain(|_, count| *count >= least);
    task.progress(1, 1);
    Ok(found)
}

bundle! {
    "example", "0.1.0",
    add(x: i64, y: i64) -> i64 = Options {
        name: "tasks.add", doc: "The sum of two whole numbers.", ..Options::NONE
    },
    words(text: String, least: i64 = 1) -> BTreeMap<String, i64> = Options {
        name: "tasks.words", doc: "How often each word occurs.", soft_limit: 5.0, hard_limit: 10.0, ..Options::NONE
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use taskhost::testing::Test;

    #[test]
    fn a_sum() {
        assert_eq!(add(&Test::new().task(), 4, 6).unwrap(), 10);
    }

    #[test]
    fn rare_words_are_left_out() {
        let test = Test::new();
        let found = words(&test.task(), "to be or not to be".to_string(), 2).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), ["be", "to"]);
        assert!(test.states()[0].starts_with(r#"PROGRESS {"done":1,"total":1"#));
    }

    #[test]
    fn it_stops_at_its_soft_limit() {
        let test = Test::new();
        test.limits(5.0, 10.0);
        test.advance(6.0);
        let failure = words(&test.task(), "be".to_string(), 1).unwrap_err();
        assert_eq!(failure.kind(), "SoftTimeLimitExceeded");
    }
}
