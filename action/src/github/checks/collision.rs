//! Check runs of several steps with the same name and commit.
//!
//! Such steps are a matrix, two jobs or two workflows that share a name by mistake. GitHub and branch
//! protection look only at the newest check run of a name, so a success could hide a failure.
//!
//! A failure is complete when it is created. A success is completed after its check run was created
//! and the others were listed: a failure that the list lacks is created later, so it is newer.

use http::Method;
use serde_json::{Value, json};

use super::{ApiCheckRun, CheckRun};
use crate::github::client::Client;
use crate::github::error::ApiError;
use crate::github::origin::{Age, Origin};
use crate::github::request::ApiRequest;

const COMPLETE_CONTEXT: &str = "cannot complete the check run";

impl Client {
    /// Completes a check run that doesn't fail. Returns true if it got its fallback name, because
    /// its plain name would hide a failure.
    pub(super) async fn complete(
        &self,
        run: &CheckRun,
        id: u64,
        output: &Value,
    ) -> Result<bool, ApiError> {
        // If it can't be found out, assume the worst.
        let hides_failure = async || {
            let others = self.list_check_runs(&run.head_sha, Some(&run.name)).await;
            others.map_or(true, |others| would_hide_failure(&run.origin, &others))
        };
        let mut is_renamed = hides_failure().await;
        self.set_result(run, id, output, is_renamed).await?;
        // GitHub may also compare the times of completion.
        if !is_renamed && hides_failure().await {
            is_renamed = true;
            self.set_result(run, id, output, is_renamed).await?;
        }
        Ok(is_renamed)
    }

    async fn set_result(
        &self,
        run: &CheckRun,
        id: u64,
        output: &Value,
        is_renamed: bool,
    ) -> Result<(), ApiError> {
        let path = self.repository_path(&format!("/check-runs/{id}"));
        let name = if is_renamed {
            &run.fallback_name
        } else {
            &run.name
        };
        let body = json!({
            "name": name,
            "status": "completed",
            "conclusion": run.conclusion.as_str(),
            "output": output,
        });
        let request = ApiRequest::new(Method::PATCH, path, COMPLETE_CONTEXT).with_body(body);
        self.send_idempotent(&request).await.map(|_| ())
    }
}

/// Returns true if a success of `own` would hide a failure among the other check runs of its name.
///
/// The newest result of each leg counts. An earlier result of the own leg doesn't. A check run in
/// progress counts as a result, because only a step that passes has one.
fn would_hide_failure(own: &Origin, others: &[ApiCheckRun]) -> bool {
    let others: Vec<(Origin, bool)> = others
        .iter()
        .filter_map(|run| Some((run.origin()?, is_failure(run))))
        .filter(|(origin, _)| origin != own)
        .collect();
    let is_superseded = |origin: &Origin| {
        let is_own_past = origin.leg == own.leg && own.age_of(origin) == Age::Older;
        is_own_past
            || others
                .iter()
                .any(|(other, _)| other.leg == origin.leg && origin.age_of(other) == Age::Newer)
    };
    others
        .iter()
        .any(|(origin, is_failure)| *is_failure && !is_superseded(origin))
}

fn is_failure(run: &ApiCheckRun) -> bool {
    let conclusion = run.conclusion.as_deref();
    conclusion.is_some_and(|text| !["success", "neutral", "skipped"].contains(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::github::tests::origin;

    /// Returns check runs from pairs of origin and conclusion, newest first.
    fn runs(all: &[(&str, &str)]) -> Vec<ApiCheckRun> {
        let run = |(id, (text, conclusion)): (usize, &(&str, &str))| ApiCheckRun {
            id: 100 - id as u64,
            html_url: None,
            external_id: Some(format!("leakgate-v1/{text}")),
            name: "leakgate".into(),
            conclusion: Some((*conclusion).to_owned()).filter(|text| !text.is_empty()),
            output: Default::default(),
        };
        all.iter().enumerate().map(run).collect()
    }

    #[test]
    fn newest_result_of_each_other_leg_counts() {
        for (others, want) in [
            (&[][..], false),
            // Another leg of this run.
            (&[("7/1/gcc/x", "failure")], true),
            (&[("7/1/gcc/x", "success")], false),
            (&[("7/1/gcc/x", "")], false),
            (&[("7/1/gcc/x", "timed_out")], true),
            // Its second attempt has fixed it, or broken it.
            (&[("7/2/gcc/y", "success"), ("7/1/gcc/x", "failure")], false),
            (&[("7/2/gcc/y", "failure"), ("7/1/gcc/x", "success")], true),
            (&[("7/1/gcc/x", "success"), ("7/2/gcc/y", "failure")], true),
            (&[("7/2/gcc/y", ""), ("7/1/gcc/x", "failure")], false),
            // Another workflow.
            (&[("6/1/nightly/x", "failure")], true),
            // This leg, in an earlier and in a later run.
            (&[("6/1/clang/x", "failure")], false),
            (&[("8/1/clang/x", "failure")], true),
            // The same step, and another with the same leg by mistake.
            (&[("7/1/clang/own", "failure")], false),
            (&[("7/1/clang/other", "failure")], true),
        ] {
            let hides = would_hide_failure(&origin("7/1/clang/own"), &runs(others));
            assert_eq!(hides, want, "{others:?}");
        }
    }

    #[test]
    fn check_run_of_another_program_is_ignored() {
        let mut others = runs(&[("7/1/gcc/x", "failure"), ("7/1/gcc/y", "failure")]);
        others[0].external_id = None;
        others[1].external_id = Some("ca4c6a17".into());
        assert!(!would_hide_failure(&origin("7/1/clang/own"), &others));
    }
}
