//! The looks of the pages, made once from the settings.
//!
//! A team chooses one colour; it is made darker for the light pages and lighter for the dark ones,
//! as far as reading needs (WCAG 2.2, 1.4.3: a contrast of 4.5 to 1).

use std::fmt::Write as _;

/// Red, green, blue.
type Rgb = [u8; 3];

/// What links must be told from in the light and in the dark; as in the stylesheet.
const LIGHT_PAPER: Rgb = [0xf5, 0xf6, 0xf8];
const DARK_CARD: Rgb = [0x1b, 0x21, 0x2a];

const BLACK: Rgb = [0, 0, 0];
const WHITE: Rgb = [255, 255, 255];

const CONTRAST_MIN: f64 = 4.5;

const BASE: &str = include_str!("gatehouse.css");
const ICON: &[u8] = include_bytes!("gatehouse.svg");

/// Where the stylesheet is served; below `/oauth/`, so that it is reachable beside a
/// documentation site that forwards only our paths.
pub const STYLESHEET_PATH: &str = "/oauth/assets/gatehouse.css";

/// Where the logo is served, if there is one.
pub const LOGO_PATH: &str = "/oauth/assets/logo";

/// Where the favicon is served. Without one browsers would ask for `/favicon.ico`, which on a host
/// that is shared is somebody else's.
pub const FAVICON_PATH: &str = "/oauth/assets/favicon";

/// A picture of the team's.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Its media type.
    pub content_type: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// What a team may choose.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
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

/// How the pages look.
#[derive(Clone, Debug)]
pub struct Brand {
    /// The one stylesheet.
    pub stylesheet: String,
    /// What was chosen.
    pub chosen: Chosen,
    /// In the browser's tab: what was chosen, or ours.
    pub favicon: Picture,
}

impl Brand {
    /// The looks of what was chosen.
    pub fn new(chosen: Chosen) -> Self {
        let mut stylesheet = BASE.to_owned();
        if let Some(font) = &chosen.font {
            let _ = writeln!(stylesheet, "body {{ font-family: {font}; }}");
        }
        if let Some(accent) = chosen.accent {
            let light = away_from(LIGHT_PAPER, accent, BLACK);
            let dark = away_from(DARK_CARD, accent, WHITE);
            let _ = writeln!(stylesheet, ":root {{ {} }}", accent_rules(light));
            let _ = writeln!(
                stylesheet,
                "@media (prefers-color-scheme: dark) {{ :root {{ {} }} }}",
                accent_rules(dark)
            );
        }
        let ours = || Picture { content_type: "image/svg+xml", bytes: ICON.to_vec() };
        let favicon = chosen.favicon.clone().unwrap_or_else(ours);
        Self { stylesheet, chosen, favicon }
    }
}

fn accent_rules(accent: Rgb) -> String {
    let ink = if contrast(accent, WHITE) >= contrast(accent, BLACK) { WHITE } else { BLACK };
    format!("--accent: {}; --accent-ink: {};", hex(accent), hex(ink))
}

fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// `colour`, mixed with as little of `towards` as makes it readable on `ground`.
fn away_from(ground: Rgb, colour: Rgb, towards: Rgb) -> Rgb {
    (0..=100)
        .map(|percent| mixed(colour, towards, percent))
        .find(|mixed| contrast(*mixed, ground) >= CONTRAST_MIN)
        .unwrap_or(towards)
}

fn mixed(colour: Rgb, towards: Rgb, percent: u16) -> Rgb {
    std::array::from_fn(|at| {
        let parts = u16::from(colour[at]) * (100 - percent) + u16::from(towards[at]) * percent;
        u8::try_from(parts / 100).unwrap_or(u8::MAX)
    })
}

/// WCAG 2.2, contrast ratio.
fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// WCAG 2.2, relative luminance.
fn luminance(colour: Rgb) -> f64 {
    let [red, green, blue] = colour.map(|channel| {
        let channel = f64::from(channel) / 255.0;
        if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_colour_is_made_readable_in_light_and_dark() {
        for accent in [BLACK, WHITE, [255, 255, 0], [0, 0, 255], [255, 0, 0], [128, 128, 128]] {
            let light = away_from(LIGHT_PAPER, accent, BLACK);
            let dark = away_from(DARK_CARD, accent, WHITE);
            assert!(contrast(light, LIGHT_PAPER) >= CONTRAST_MIN, "{accent:?}");
            assert!(contrast(dark, DARK_CARD) >= CONTRAST_MIN, "{accent:?}");
            for shown in [light, dark] {
                let ink = contrast(shown, WHITE).max(contrast(shown, BLACK));
                assert!(ink >= CONTRAST_MIN, "{accent:?}");
            }
        }
        // One that can be read stays as it was chosen.
        assert_eq!(away_from(LIGHT_PAPER, [0x1f, 0x5f, 0xbf], BLACK), [0x1f, 0x5f, 0xbf]);
    }

    #[test]
    fn contrast_is_measured_as_wcag_says() {
        assert!((contrast(BLACK, WHITE) - 21.0).abs() < 0.001);
        assert!((contrast([0x76, 0x76, 0x76], WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn the_stylesheet_ends_with_what_was_chosen() {
        let plain = Brand::new(Chosen::default());
        assert_eq!(plain.stylesheet, BASE);
        let chosen =
            Chosen { font: Some("Inter, serif".into()), accent: Some([0; 3]), ..Chosen::default() };
        let stylesheet = Brand::new(chosen).stylesheet;
        let added = stylesheet.strip_prefix(BASE).unwrap();
        assert!(added.contains("font-family: Inter, serif;"), "{added}");
        assert!(added.contains("--accent: #000000; --accent-ink: #ffffff;"), "{added}");
    }
}
