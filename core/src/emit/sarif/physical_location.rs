//! SARIF locations: files by their path in the repository, functions by their name.

use alloc::string::String;

use serde::Serialize;

use super::wire::Message;
use crate::emit::escape::uri;
use crate::emit::location::Location;
use crate::emit::summary::shortened;
use crate::model::Frame;

/// Maximum length of a name, in characters.
pub(super) const MAX_NAME: usize = 300;

/// Section 3.28.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SarifLocation {
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
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PhysicalLocation {
    pub(super) artifact_location: ArtifactLocation,
    pub(super) region: Region,
}

/// Section 3.4.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArtifactLocation {
    pub(super) uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uri_base_id: Option<&'static str>,
}

/// Section 3.30. Lines and columns count from 1.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Region {
    pub(super) start_line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start_column: Option<u32>,
}

/// Section 3.33.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogicalLocation {
    pub(super) fully_qualified_name: String,
    pub(super) kind: &'static str,
}

/// Converts a location, with the function of `frame`.
pub(super) fn sarif_location(location: &Location, frame: Option<&Frame>) -> SarifLocation {
    let uri = uri(&location.file);
    let uri_base_id = (!uri.starts_with("file:")).then_some("%SRCROOT%");
    let region = Region {
        start_line: location.line.unwrap_or(1),
        start_column: location.column.filter(|_| location.line.is_some()),
    };
    SarifLocation {
        physical_location: Some(PhysicalLocation {
            artifact_location: ArtifactLocation { uri, uri_base_id },
            region,
        }),
        logical_locations: frame.and_then(function),
        ..SarifLocation::default()
    }
}

/// Returns the logical location of the function of a frame.
pub(super) fn function(frame: &Frame) -> Option<[LogicalLocation; 1]> {
    let name = shortened(frame.info.name()?, MAX_NAME);
    Some([LogicalLocation {
        fully_qualified_name: name.into_owned(),
        kind: "function",
    }])
}
