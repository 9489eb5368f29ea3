//! Candidate paths of a module and its debug files.

use std::env::consts::ARCH;
use std::path::{Path, PathBuf};

/// Directory for debug files of installed packages.
const SYSTEM_DEBUG_DIR: &str = "/usr/lib/debug";

/// Search paths in addition to the paths in a log.
#[derive(Clone, Debug, Default)]
pub(crate) struct SearchPaths {
    /// Directories for debug files, searched before /usr/lib/debug.
    pub(crate) debug: Vec<PathBuf>,
    /// Programs that ran, because some checkers print only the file name of a module.
    pub(crate) programs: Vec<PathBuf>,
}

impl SearchPaths {
    /// Returns candidate paths for a module in a log. A bare file name is searched among the
    /// programs, in the working directory and in the system's library directories.
    pub(super) fn modules(&self, name: &str) -> Vec<PathBuf> {
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

    /// Returns candidate paths for the debug file with a build id.
    pub(super) fn by_build_id(&self, id: &[u8]) -> Vec<PathBuf> {
        let digits: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let Some((folder, name)) = digits
            .split_at_checked(2)
            .filter(|(_, name)| !name.is_empty())
        else {
            return Vec::new();
        };
        self.debug_dirs()
            .map(|debug| {
                debug
                    .join(".build-id")
                    .join(folder)
                    .join(format!("{name}.debug"))
            })
            .collect()
    }

    /// Returns candidate paths for the debug file that a module names in `.gnu_debuglink`: in the
    /// module's directory, in its `.debug` subdirectory and below each debug directory.
    pub(super) fn by_link(&self, module: &Path, name: &[u8]) -> Vec<PathBuf> {
        let Ok(real) = module.canonicalize() else {
            return Vec::new();
        };
        // Use only the file name, so that a module can't refer to other directories.
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
        all.chain(self.debug_dirs().map(|debug| debug.join(inside).join(name)))
            .filter(|path| *path != real)
            .collect()
    }

    /// Returns candidate paths for the supplementary file that several debug files share (`dwz`).
    /// A relative path starts in the directory of the file that names it.
    pub(super) fn supplementary_files(
        &self,
        named_by: &Path,
        path: &[u8],
        id: &[u8],
    ) -> Vec<PathBuf> {
        let real = named_by.canonicalize().ok();
        let folder = real.as_deref().and_then(Path::parent);
        let linked = str::from_utf8(path)
            .ok()
            .and_then(|path| folder.map(|folder| folder.join(path)));
        linked.into_iter().chain(self.by_build_id(id)).collect()
    }

    fn debug_dirs(&self) -> impl Iterator<Item = &Path> {
        self.debug
            .iter()
            .map(PathBuf::as_path)
            .chain([Path::new(SYSTEM_DEBUG_DIR)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_files_are_searched_in_the_usual_directories() {
        let search_paths = SearchPaths {
            debug: vec!["/d".into()],
            programs: vec!["/t/app".into(), "/t/other".into()],
        };
        let paths = |all: Vec<PathBuf>| {
            all.iter()
                .map(|path| path.display().to_string())
                .collect::<Vec<_>>()
        };
        let ids = paths(search_paths.by_build_id(&[0xab, 0x01, 0xff]));
        assert_eq!(
            ids,
            [
                "/d/.build-id/ab/01ff.debug",
                "/usr/lib/debug/.build-id/ab/01ff.debug"
            ]
        );
        assert!(
            search_paths.by_build_id(&[0xab]).is_empty()
                && search_paths.by_build_id(&[]).is_empty()
        );
        assert_eq!(paths(search_paths.modules("./app")), ["./app"]);
        assert_eq!(paths(search_paths.modules("app"))[..2], ["/t/app", "app"]);
        let linked = paths(search_paths.by_link(Path::new("/proc/self/exe"), b"../../x/app.debug"));
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
