//! Places: a file of the repository by its path there, a function by its name.

use alloc::string::String;

use serde::Serialize;

use super::wire::Message;
use crate::emit::escape::uri;
use crate::emit::places::Spot;
use crate::emit::words::shortened;
use crate::model::Frame;

/// Longest name that is taken over.
pub(super) const MAX_NAME: usize = 300;

/// Section 3.28.
#[derive(Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) physical_location: Option<PhysicalLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logical_locations: Option<[LogicalLocation; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<Message>,
}

/// Section 3.29.
#[derive(PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PhysicalLocation {
    pub(super) artifact_location: ArtifactLocation,
    pub(super) region: Region,
}

/// Section 3.4.
#[derive(PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArtifactLocation {
    pub(super) uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uri_base_id: Option<&'static str>,
}

/// Section 3.30. Lines and columns count from 1.
#[derive(PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Region {
    pub(super) start_line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start_column: Option<u32>,
}

/// Section 3.33.
#[derive(PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogicalLocation {
    pub(super) fully_qualified_name: String,
    pub(super) kind: &'static str,
}

/// A place, and the function in it.
pub(super) fn location(spot: &Spot, frame: Option<&Frame>) -> Location {
    let uri = uri(&spot.file);
    let uri_base_id = (!uri.starts_with("file:")).then_some("%SRCROOT%");
    let region = Region {
        start_line: spot.line.unwrap_or(1),
        start_column: spot.column.filter(|_| spot.line.is_some()),
    };
    Location {
        physical_location: Some(PhysicalLocation {
            artifact_location: ArtifactLocation { uri, uri_base_id },
            region,
        }),
        logical_locations: frame.and_then(function),
        ..Location::default()
    }
}

pub(super) fn function(frame: &Frame) -> Option<[LogicalLocation; 1]> {
    let name = shortened(frame.site.name()?, MAX_NAME);
    Some([LogicalLocation {
        fully_qualified_name: name.into_owned(),
        kind: "function",
    }])
}
