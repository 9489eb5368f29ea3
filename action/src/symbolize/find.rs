//! Where a module and its debug information may lie.

use std::env::consts::ARCH;
use std::path::{Path, PathBuf};

/// Where debug information of installed packages lies.
const SYSTEM: &str = "/usr/lib/debug";

/// Where to look beside the place that a log names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// Folders like /usr/lib/debug, which is always looked into after them.
    pub(crate) debug: Vec<PathBuf>,
    /// Programs that were run: some checkers name only the last part of a path.
    pub(crate) programs: Vec<PathBuf>,
}

impl Places {
    /// The files that a module of a log may mean. A name alone is looked for among the programs,
    /// here, and where the system has libraries.
    pub(super) fn of_module(&self, name: &str) -> Vec<PathBuf> {
        if name.contains('/') {
            return vec![name.into()];
        }
        let programs = self
            .programs
            .iter()
            .filter(|path| path.file_name().is_some_and(|last| last == name))
            .cloned();
        let triple = format!("{ARCH}-linux-gnu");
        let folders = [format!("/lib/{triple}"), format!("/usr/lib/{triple}")].into_iter();
        let folders = folders.chain(
            ["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"].map(String::from),
        );
        programs
            .chain([name.into()])
            .chain(folders.map(|folder| Path::new(&folder).join(name)))
            .collect()
    }

    /// Where debug information with a build id lies.
    pub(super) fn by_build_id(&self, id: &[u8]) -> Vec<PathBuf> {
        let digits: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let Some((folder, name)) = digits
            .split_at_checked(2)
            .filter(|(_, name)| !name.is_empty())
        else {
            return Vec::new();
        };
        self.folders()
            .map(|debug| {
                debug
                    .join(".build-id")
                    .join(folder)
                    .join(format!("{name}.debug"))
            })
            .collect()
    }

    /// Where debug information lies that a module names: beside it, in `.debug` there, and under
    /// each folder for debug information.
    pub(super) fn by_link(&self, module: &Path, name: &[u8]) -> Vec<PathBuf> {
        let Ok(real) = module.canonicalize() else {
            return Vec::new();
        };
        // A name and no path: a module says nothing about other folders.
        let Some(name) = str::from_utf8(name)
            .ok()
            .and_then(|name| Path::new(name).file_name())
        else {
            return Vec::new();
        };
        let Some(folder) = real.parent() else {
            return Vec::new();
        };
        let inside = folder.strip_prefix("/").unwrap_or(folder);
        let all = [folder.join(name), folder.join(".debug").join(name)].into_iter();
        all.chain(self.folders().map(|debug| debug.join(inside).join(name)))
            .filter(|path| *path != real)
            .collect()
    }

    /// Where the file lies that several files of debug information share (`dwz`). A relative path
    /// begins at the file that names it.
    pub(super) fn shared(&self, named_by: &Path, path: &[u8], id: &[u8]) -> Vec<PathBuf> {
        let real = named_by.canonicalize().ok();
        let folder = real.as_deref().and_then(Path::parent);
        let named = str::from_utf8(path)
            .ok()
            .and_then(|path| folder.map(|folder| folder.join(path)));
        named.into_iter().chain(self.by_build_id(id)).collect()
    }

    fn folders(&self) -> impl Iterator<Item = &Path> {
        self.debug
            .iter()
            .map(PathBuf::as_path)
            .chain([Path::new(SYSTEM)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_information_is_looked_for_in_the_usual_places() {
        let places = Places {
            debug: vec!["/d".into()],
            programs: vec!["/t/app".into(), "/t/other".into()],
        };
        let paths = |all: Vec<PathBuf>| {
            all.iter()
                .map(|path| path.display().to_string())
                .collect::<Vec<_>>()
        };
        let ids = paths(places.by_build_id(&[0xab, 0x01, 0xff]));
        assert_eq!(
            ids,
            [
                "/d/.build-id/ab/01ff.debug",
                "/usr/lib/debug/.build-id/ab/01ff.debug"
            ]
        );
        assert!(places.by_build_id(&[0xab]).is_empty() && places.by_build_id(&[]).is_empty());
        assert_eq!(paths(places.of_module("./app")), ["./app"]);
        assert_eq!(paths(places.of_module("app"))[..2], ["/t/app", "app"]);
        let linked = paths(places.by_link(Path::new("/proc/self/exe"), b"../../x/app.debug"));
        assert!(
            linked.len() == 4
                && linked
                    .iter()
                    .all(|path| path.ends_with("/app.debug") && !path.contains("..")),
            "{linked:?}"
        );
        assert!(
            linked[1].ends_with("/.debug/app.debug") && linked[2].starts_with("/d/"),
            "{linked:?}"
        );
    }
}
