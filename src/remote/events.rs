//! Server-sent events, as far as MCP needs them: the data of each event, whole.
//!
//! WHATWG HTML, Server-sent events: lines end with CR, LF or both; `data` lines of one event are
//! joined by LF; an empty line ends the event; what has no empty line behind it does not count.

/// Reads events from pieces of a stream. Its owner bounds how much there is.
#[derive(Debug, Default)]
pub struct Events {
    line: Vec<u8>,
    data: Option<String>,
    ended_by_cr: bool,
}

impl Events {
    /// Takes a piece, and returns the data of the events that it completes.
    pub fn take(&mut self, piece: &[u8]) -> Vec<String> {
        let mut complete = Vec::new();
        for &byte in piece {
            let follows_cr = std::mem::replace(&mut self.ended_by_cr, byte == b'\r');
            match byte {
                b'\n' if follows_cr => {}
                b'\n' | b'\r' => complete.extend(self.end_line()),
                _ => self.line.push(byte),
            }
        }
        complete
    }

    fn end_line(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return self.data.take();
        }
        let line = String::from_utf8_lossy(&line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        // A byte order mark may begin the stream.
        if field.trim_start_matches('\u{feff}') == "data" {
            let value = value.strip_prefix(' ').unwrap_or(value);
            match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                none => *none = Some(value.to_owned()),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Events;

    #[test]
    fn an_event_is_whole_however_it_is_cut() {
        let stream = "\u{feff}data: {\"a\":\r\nid: 7\rdata:1}\n: a remark\n\nevent: x\n\n\
             data\ndata: ü\r\n\r\ndata: cut";
        let mut whole = Events::default();
        let expected = ["{\"a\":\n1}", "\nü"];
        assert_eq!(whole.take(stream.as_bytes()), expected);
        let mut by_byte = Events::default();
        let pieces = stream.as_bytes().chunks(1).flat_map(|piece| by_byte.take(piece));
        assert_eq!(pieces.collect::<Vec<_>>(), expected);
    }
}
