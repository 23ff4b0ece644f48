//! What every reader makes of a file: Markdown and the sections it falls into.

/// One page as Markdown.
///
/// Sections hold ranges, not text: a corpus is kept in memory once.
#[derive(Debug, Default)]
pub struct Document {
    /// As plain text.
    pub title: String,
    /// A sentence about the page, if its author wrote one; otherwise empty.
    pub description: String,
    /// The whole page, under its title.
    pub markdown: String,
    /// In page order, without gaps: the first starts at the first byte, each ends where the next
    /// begins, the last ends with the page.
    pub sections: Vec<Section>,
}

/// A heading and the text under it, up to the next heading of any level.
#[derive(Debug)]
pub struct Section {
    /// 1 for a page title, 2 for the sections under it, and so on.
    pub level: u8,
    /// The heading as plain text.
    pub heading: String,
    /// The id it is linked under; empty for text above the first heading.
    pub anchor: String,
    parent: Option<usize>,
    start: usize,
    body_start: usize,
    end: usize,
}

/// A heading a reader found, and where it stands in the Markdown.
#[derive(Debug)]
pub struct Heading {
    /// 1 for a page title.
    pub level: u8,
    /// As plain text.
    pub text: String,
    /// The id it is linked under.
    pub anchor: String,
    /// The first byte of the heading line.
    pub start: usize,
    /// The first byte after it.
    pub body_start: usize,
}

impl Document {
    /// Cuts Markdown into sections at these headings, which must be in page order.
    pub fn assemble(
        title: String,
        description: String,
        markdown: String,
        headings: Vec<Heading>,
    ) -> Self {
        let mut sections = Vec::with_capacity(headings.len() + 1);
        if headings.first().is_none_or(|first| first.start > 0) {
            sections.push(Section {
                level: 1,
                heading: title.clone(),
                anchor: String::new(),
                parent: None,
                start: 0,
                body_start: 0,
                end: 0,
            });
        }
        let mut open: Vec<usize> = Vec::new();
        for heading in headings {
            while open.last().is_some_and(|&above| sections[above].level >= heading.level) {
                open.pop();
            }
            let parent = open.last().copied();
            open.push(sections.len());
            sections.push(Section {
                level: heading.level,
                heading: one_line(heading.text),
                anchor: heading.anchor,
                parent,
                start: heading.start,
                body_start: heading.body_start,
                end: 0,
            });
        }
        let mut next_start = markdown.len();
        for section in sections.iter_mut().rev() {
            section.end = next_start;
            next_start = section.start;
        }
        Self { title, description, markdown, sections }
    }

    /// The Markdown of one section without its heading line and without its subsections.
    pub fn body(&self, section: usize) -> &str {
        let section = &self.sections[section];
        self.markdown[section.body_start..section.end].trim_matches('\n')
    }

    /// The Markdown of one section with its heading and all its subsections.
    pub fn whole(&self, section: usize) -> &str {
        let Section { level, start, .. } = self.sections[section];
        let end = self.sections[section + 1..]
            .iter()
            .find(|next| next.level <= level)
            .map_or(self.markdown.len(), |next| next.start);
        self.markdown[start..end].trim_matches('\n')
    }

    /// The headings that lead to a section, outermost first, joined by `" > "`. The page title is
    /// left out, so the trail of the text above the first section is empty.
    pub fn trail(&self, section: usize) -> String {
        let mut headings = Vec::new();
        let mut at = Some(section);
        while let Some(index) = at {
            let section = &self.sections[index];
            if index > 0 || section.level > 1 {
                headings.push(section.heading.as_str());
            }
            at = section.parent;
        }
        headings.reverse();
        headings.join(" > ")
    }
}

/// A heading is one line, though markup can break it.
fn one_line(text: String) -> String {
    if text.contains(['\n', '\r']) { text.replace(['\n', '\r'], " ") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heading(level: u8, text: &str, start: usize) -> Heading {
        let body_start = start + text.len() + level as usize + 2;
        Heading { level, text: text.into(), anchor: text.to_lowercase(), start, body_start }
    }

    fn sample() -> Document {
        let markdown = "# T\nintro\n## A\na\n### B\nb\n## C\nc\n".to_owned();
        let headings =
            vec![heading(1, "T", 0), heading(2, "A", 10), heading(3, "B", 17), heading(2, "C", 25)];
        Document::assemble("T".into(), String::new(), markdown, headings)
    }

    #[test]
    fn sections_cover_the_page_without_gaps() {
        let document = sample();
        let bodies: Vec<_> = (0..4).map(|section| document.body(section)).collect();
        assert_eq!(bodies, ["intro", "a", "b", "c"]);
    }

    #[test]
    fn a_whole_section_holds_its_subsections() {
        assert_eq!(sample().whole(1), "## A\na\n### B\nb");
        assert_eq!(sample().whole(3), "## C\nc");
    }

    #[test]
    fn a_trail_names_the_way_down_but_not_the_page() {
        assert_eq!(sample().trail(0), "");
        assert_eq!(sample().trail(2), "A > B");
    }

    #[test]
    fn a_heading_is_one_line() {
        let found = Heading { text: "A\nb\r".into(), ..heading(1, "A b", 0) };
        let document =
            Document::assemble("T".into(), String::new(), "# A b\nx".into(), vec![found]);
        assert_eq!(document.sections[0].heading, "A b ");
    }

    #[test]
    fn text_without_headings_is_one_section() {
        let document = Document::assemble("T".into(), String::new(), "x".into(), Vec::new());
        assert_eq!(document.sections.len(), 1);
        assert_eq!(document.body(0), "x");
    }
}
