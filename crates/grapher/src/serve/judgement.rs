//! The verdict as the page shows it: a word and a line for each source that decides, the rest to open.

use heapsoak_judge::word;
use heapsoak_store::Reader;
use serde_json::{Value, json};

use crate::verdict::{self, Asked, Finding};

/// The verdict over the whole recording as of `now_us`.
pub(super) fn json(reader: &Reader, now_us: i64) -> anyhow::Result<Value> {
    let judged = verdict::of(reader, &Asked::default(), now_us)?.judged;
    let findings: Vec<Finding> = judged.iter().map(|one| verdict::of_verdict(one, now_us)).collect();
    Ok(json!({
        "word": word(&judged).as_str(),
        "findings": findings.iter().map(finding_json).collect::<Value>(),
    }))
}

fn finding_json(one: &Finding) -> Value {
    let sentences = [&one.reason, &one.advice];
    let more: Vec<&String> = sentences.into_iter().chain(&one.figures).filter(|text| !text.is_empty()).collect();
    json!({
        "source": one.source,
        "word": one.word.as_str(),
        "decides": one.decides,
        "title": one.title,
        "rate": one.rate,
        "more": more,
    })
}
