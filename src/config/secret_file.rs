//! The secret of a first run: a file only its owner can read.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::config::layers::ConfigError;
use crate::secret::{Entropy as _, SystemEntropy, base64url};
use crate::server_secret::{decode_server_secret, generate_server_secret};

/// Relative to the folder the service runs in.
const PATH: &str = "data/secret";

/// Reads the file, or makes it. Two processes that start at once agree on one secret: the file is
/// linked into place whole, and only the first link succeeds.
pub fn read_or_create(folder: &Path) -> Result<Vec<u8>, ConfigError> {
    let path = folder.join(PATH);
    let fault =
        |error: std::io::Error| ConfigError::new("secret", format!("{}: {error}", path.display()));
    match fs::read_to_string(&path) {
        Ok(text) => return decode(&path, &text),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(fault(error)),
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(fault)?;
    }
    // Containers that share a volume share process numbers too, so the draft's name is random.
    let mut suffix = [0; 9];
    SystemEntropy.fill(&mut suffix);
    let draft = path.with_extension(format!("new-{}", base64url(&suffix)));
    let text = generate_server_secret(&SystemEntropy);
    write_private(&draft, &text).map_err(fault)?;
    let linked = fs::hard_link(&draft, &path);
    fs::remove_file(&draft).map_err(fault)?;
    match linked {
        Ok(()) => decode(&path, &text),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            decode(&path, &fs::read_to_string(&path).map_err(fault)?)
        }
        Err(error) => Err(fault(error)),
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

fn decode(path: &Path, text: &str) -> Result<Vec<u8>, ConfigError> {
    decode_server_secret(text)
        .map_err(|error| ConfigError::new("secret", format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_file_is_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let first = read_or_create(folder.path()).unwrap();
        assert_eq!(read_or_create(folder.path()).unwrap(), first);
        let mode = fs::metadata(folder.path().join(PATH)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path().join("data")).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        fs::write(folder.path().join(PATH), "short").unwrap();
        assert!(read_or_create(folder.path()).is_err());
    }
}
