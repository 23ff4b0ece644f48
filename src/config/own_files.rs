//! Secrets that stand in files of their own, as container engines and service managers hand them
//! over: `secret_file` names the file that holds `secret`, and so on.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::config::keys::Key;

/// That others than the owner and the group may read a file.
const READABLE_BY_OTHERS: u32 = 0o004;

/// A secret, as its file has it.
#[derive(Debug)]
pub struct OwnFile {
    /// What stands in it.
    pub text: String,
    /// Whether everybody on the machine may read it.
    pub is_exposed: bool,
}

/// The setting that names the file of a secret.
pub fn name_of(key: &Key) -> String {
    format!("{}_file", key.name)
}

/// Reads the file; what is wrong with it, in words that do not repeat what stands in it.
pub fn read(path: &Path) -> Result<OwnFile, String> {
    let fault = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    let text = fs::read_to_string(path).map_err(fault)?;
    if text.trim().is_empty() {
        return Err(format!("{} is empty", path.display()));
    }
    let mode = fs::metadata(path).map_err(fault)?.permissions().mode();
    Ok(OwnFile { text, is_exposed: mode & READABLE_BY_OTHERS != 0 })
}
