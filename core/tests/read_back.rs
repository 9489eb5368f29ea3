//! A document that is read back tells the same: for every case, the findings, reports and problems are those of the first run.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod common;

use leakgate_core::emit::Format;
use leakgate_core::{Document, merge};
use serde_json::Value;

#[test]
fn every_document_is_read_back_whole() {
    for case in common::cases() {
        let before = common::judge(&case.files).document(Format::Json);
        let document = Document::read("a.json", &before).unwrap();
        let (all, sources) = merge(vec![("a".to_owned(), document)]);
        let after = common::decide(common::gate(), all.parsed, &sources).document(Format::Json);
        let [before, after]: [Value; 2] = [&before, &after].map(|text| serde_json::from_str(text).unwrap());
        for part in ["findings", "reports", "problems"] {
            assert_eq!(before[part], after[part], "{} {part}", case.name);
        }
    }
}
