//! How the pages look: name, logo, favicon, font and colour of the team that runs the server.

use std::path::Path;

use crate::config::layers::{ConfigError, Given, Layers};
use crate::config::readers::pairs_of;

/// The largest picture that is served with every page, in bytes.
const PICTURE_BYTES_MAX: u64 = 256 * 1024;

/// A colour: red, green, blue.
pub type Rgb = [u8; 3];

/// A picture, read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// By the ending of its file.
    pub content_type: &'static str,
    /// Its file.
    pub bytes: Vec<u8>,
}

/// The setting `brand`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrandConfig {
    /// Stands at the top of each page; the product's name otherwise.
    pub name: Option<String>,
    /// Beside the name.
    pub logo: Option<Picture>,
    /// In the browser's tab.
    pub favicon: Option<Picture>,
    /// A CSS list of font families.
    pub font: Option<String>,
    /// Of links and buttons.
    pub accent: Option<Rgb>,
}

/// Reads the setting.
pub fn brand(layers: &Layers, given: &Given) -> Result<BrandConfig, ConfigError> {
    let mut brand = BrandConfig::default();
    for (key, value) in pairs_of(layers, "brand")? {
        let complain = |message: String| layers.error("brand", format!("{key}: {message}"));
        match key.as_str() {
            "name" => brand.name = Some(name(&value).map_err(complain)?),
            "logo" => brand.logo = Some(picture(&given.folder, &value).map_err(complain)?),
            "favicon" => brand.favicon = Some(picture(&given.folder, &value).map_err(complain)?),
            "font" => brand.font = Some(font(&value).map_err(complain)?),
            "accent" => brand.accent = Some(colour(&value).map_err(complain)?),
            _ => {
                let known = "it is none of name, logo, favicon, font, accent";
                return Err(complain(known.into()));
            }
        }
    }
    Ok(brand)
}

fn name(text: &str) -> Result<String, String> {
    if (1..=60).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("it must have 1 to 60 printable characters".into())
    }
}

fn picture(folder: &Path, file: &str) -> Result<Picture, String> {
    let path = folder.join(file);
    let content_type = match path.extension().and_then(|ending| ending.to_str()) {
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        _ => return Err(format!("{file:?} is no .svg, .png, .jpg, .webp or .ico file")),
    };
    let size = std::fs::metadata(&path).map_err(|error| format!("{file:?}: {error}"))?.len();
    if size > PICTURE_BYTES_MAX {
        return Err(format!("{file:?} is larger than {} KiB", PICTURE_BYTES_MAX / 1024));
    }
    let bytes = std::fs::read(&path).map_err(|error| format!("{file:?}: {error}"))?;
    Ok(Picture { content_type, bytes })
}

/// Family names and commas: nothing that could end the declaration it is put into.
fn font(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " ,-'\"".contains(c);
    let is_balanced = |quote: char| text.matches(quote).count().is_multiple_of(2);
    if text.chars().all(is_plain) && is_balanced('\'') && is_balanced('"') && text.len() <= 200 {
        Ok(text.to_owned())
    } else {
        Err(format!("{text:?} is no list of font families such as \"Inter\", sans-serif"))
    }
}

fn colour(text: &str) -> Result<Rgb, String> {
    let complain = || format!("{text:?} is no colour such as #1f5fbf");
    // A parser of numbers would take a sign, too.
    let is_hex = |digits: &&str| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let digits = text.strip_prefix('#').filter(is_hex).ok_or_else(complain)?;
    let number = u32::from_str_radix(digits, 16).map_err(|_| complain())?;
    let [_, red, green, blue] = number.to_be_bytes();
    Ok([red, green, blue])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_values_get_into_a_stylesheet() {
        assert_eq!(colour("#1F5fbf"), Ok([0x1f, 0x5f, 0xbf]));
        for bad in ["1f5fbf", "#fff", "red", "#1f5fbg", "#+f5fbf", "#1f5fbf;"] {
            assert!(colour(bad).is_err(), "{bad}");
        }
        assert!(font("\"Inter\", 'Segoe UI', sans-serif").is_ok());
        for bad in ["a;b", "a}b", "url(x)", "\"a", "a'b", "a\\b", "é", "/*"] {
            assert!(font(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn pictures_are_known_by_their_ending_and_small() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("logo.svg"), "<svg/>").unwrap();
        std::fs::write(folder.path().join("big.png"), vec![0; 256 * 1024 + 1]).unwrap();
        let logo = picture(folder.path(), "logo.svg").unwrap();
        assert_eq!((logo.content_type, logo.bytes.as_slice()), ("image/svg+xml", &b"<svg/>"[..]));
        for (file, message) in
            [("big.png", "larger"), ("none.png", "none.png"), ("logo.html", "no .svg")]
        {
            assert!(picture(folder.path(), file).unwrap_err().contains(message), "{file}");
        }
    }
}
