//! What a page is made of, once its blocks are recognized and its inline text is Markdown.

/// A block. Texts in it are Markdown, with in-page references still open.
#[derive(Debug, PartialEq)]
pub enum Block {
    Heading {
        level: usize,
        text: String,
        id: String,
    },
    Paragraph(String),
    /// The title of the block after it.
    Caption(String),
    Code {
        language: String,
        text: String,
    },
    Quote {
        blocks: Vec<Block>,
        source: String,
    },
    Admonition {
        label: &'static str,
        blocks: Vec<Block>,
    },
    List(List),
    /// A description list.
    Terms(Vec<Term>),
    Tabs(Vec<Tab>),
    Table(Table),
    /// Blocks held together only by their source.
    Group(Vec<Block>),
    LostInclude(String),
    Rule,
}

#[derive(Debug, PartialEq)]
pub struct List {
    pub marker: Marker,
    pub items: Vec<Item>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Marker {
    Bullet,
    /// The number of the first item.
    Number(usize),
}

#[derive(Debug, Default, PartialEq)]
pub struct Item {
    pub text: String,
    pub blocks: Vec<Block>,
}

#[derive(Debug, Default, PartialEq)]
pub struct Term {
    pub names: Vec<String>,
    pub text: String,
    pub blocks: Vec<Block>,
}

#[derive(Debug, PartialEq)]
pub struct Tab {
    pub label: String,
    pub blocks: Vec<Block>,
}

#[derive(Debug, Default, PartialEq)]
pub struct Table {
    /// Empty if the table has no header.
    pub header: Vec<Cell>,
    pub rows: Vec<Vec<Cell>>,
}

/// What stands in a cell. A cell over several rows is shared by them.
pub type Cell = std::rc::Rc<Vec<Block>>;
