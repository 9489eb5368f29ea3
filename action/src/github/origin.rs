//! The origin of a check run or a comment: the step that wrote it, in which attempt of which run.
//!
//! Steps of one commit can share a name by mistake. The origin keeps them from overwriting each
//! other's results.

use std::cmp::Ordering;

/// First part of every external id of a check run.
const EXTERNAL_ID: &str = "leakgate-v1";

/// Start and end of the line with the origin in a comment.
const TAG: (&str, &str) = ("<!-- leakgate-run: ", " -->");

/// A step of a workflow run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Id of the workflow run.
    pub run: u64,
    /// Number of the attempt, from 1.
    pub attempt: u64,
    /// Identifies the workflow file, the job and its matrix values. It is the same in every run.
    /// Must not contain slashes or spaces.
    pub leg: String,
    /// Random word that distinguishes steps with the same `leg`, such as those of two calls of one
    /// reusable workflow. Must not contain slashes or spaces.
    pub nonce: String,
}

/// When another step wrote a result, as seen by the current step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// In an earlier run or attempt, so the current step replaces the result.
    Older,
    /// In the same attempt of the same run, so both results count.
    Same,
    /// In a later run or attempt.
    Newer,
}

impl Origin {
    /// Returns the external id of a check run.
    pub(crate) fn external_id(&self) -> String {
        let Self {
            run,
            attempt,
            leg,
            nonce,
        } = self;
        format!("{EXTERNAL_ID}/{run}/{attempt}/{leg}/{nonce}")
    }

    /// Parses the external id of a check run. `None` if another program has created it.
    pub(crate) fn from_external_id(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split('/').collect();
        let [EXTERNAL_ID, run, attempt, leg, nonce] = fields[..] else {
            return None;
        };
        Some(Self {
            run: run.parse().ok()?,
            attempt: attempt.parse().ok()?,
            leg: leg.to_owned(),
            nonce: nonce.to_owned(),
        })
    }

    /// Returns the line of a comment that names its origin. The marker names the leg.
    pub(super) fn comment_tag(&self) -> String {
        let Self {
            run,
            attempt,
            nonce,
            ..
        } = self;
        format!("{}{run}/{attempt}/{nonce}{}", TAG.0, TAG.1)
    }

    /// Parses the second line of a comment, which has the same leg as this origin. A comment
    /// without an origin is older than every run.
    pub(super) fn of_comment(&self, body: &str) -> Self {
        let tag = |line: &str| {
            let fields = line.trim().strip_prefix(TAG.0)?.strip_suffix(TAG.1)?;
            let (run, rest) = fields.split_once('/')?;
            let (attempt, nonce) = rest.split_once('/')?;
            Some(Self {
                run: run.parse().ok()?,
                attempt: attempt.parse().ok()?,
                leg: self.leg.clone(),
                nonce: nonce.to_owned(),
            })
        };
        body.lines().nth(1).and_then(tag).unwrap_or(Self {
            run: 0,
            attempt: 0,
            leg: self.leg.clone(),
            nonce: String::new(),
        })
    }

    /// Returns when the other step wrote its result.
    pub(super) fn age_of(&self, other: &Self) -> Age {
        match (other.run, other.attempt).cmp(&(self.run, self.attempt)) {
            Ordering::Less => Age::Older,
            Ordering::Equal => Age::Same,
            Ordering::Greater => Age::Newer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(run: u64, attempt: u64) -> Origin {
        Origin {
            run,
            attempt,
            leg: "0a1b".into(),
            nonce: "77".into(),
        }
    }

    #[test]
    fn external_id_and_tag_are_read_back() {
        let own = origin(5, 2);
        assert_eq!(own.external_id(), "leakgate-v1/5/2/0a1b/77");
        assert_eq!(
            Origin::from_external_id(&own.external_id()),
            Some(own.clone())
        );
        for foreign in ["", "5", "other/5/2/0a1b/77", "leakgate-v1/x/2/0a1b/77"] {
            assert_eq!(Origin::from_external_id(foreign), None, "{foreign}");
        }
        let body = format!("<!-- marker -->\n{}\ntext", own.comment_tag());
        assert_eq!(own.of_comment(&body), own);
        // GitHub may change line ends.
        assert_eq!(own.of_comment(&body.replace('\n', "\r\n")), own);
    }

    #[test]
    fn later_attempt_of_a_run_replaces_an_earlier_one() {
        let own = origin(5, 2);
        assert_eq!(own.age_of(&origin(4, 9)), Age::Older);
        assert_eq!(own.age_of(&origin(5, 1)), Age::Older);
        assert_eq!(own.age_of(&own), Age::Same);
        assert_eq!(own.age_of(&origin(5, 3)), Age::Newer);
        assert_eq!(own.age_of(&origin(6, 1)), Age::Newer);
        let untagged = own.of_comment("<!-- marker -->\ntext");
        assert_eq!(own.age_of(&untagged), Age::Older);
    }
}
