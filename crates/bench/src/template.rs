//! A request as bytes that were made once; of one request to the next only its places are written.

use std::ops::Range;

/// Bytes with places of a fixed width in them.
#[derive(Clone, Default)]
pub struct Template {
    bytes: Vec<u8>,
    places: Vec<(&'static str, Range<usize>)>,
}

impl Template {
    /// What every request has in common so far.
    pub fn new(text: &str) -> Template {
        Template::default().text(text)
    }

    /// Adds bytes that stay.
    pub fn text(mut self, text: &str) -> Template {
        self.bytes.extend_from_slice(text.as_bytes());
        self
    }

    /// Adds a place of `width` bytes under a name.
    pub fn place(mut self, name: &'static str, width: usize) -> Template {
        let begin = self.bytes.len();
        self.bytes.resize(begin + width, b'0');
        self.places.push((name, begin..begin + width));
        self
    }

    /// Ends a head, whose last line is still open, and adds the body with its length.
    pub fn body(self, body: Template) -> Template {
        let length = body.bytes.len();
        let mut whole = self.text(&format!("\r\nContent-Length: {length}\r\n\r\n"));
        let at = whole.bytes.len();
        whole.bytes.extend_from_slice(&body.bytes);
        let moved = body.places.into_iter();
        let moved = moved.map(|(name, range)| (name, range.start + at..range.end + at));
        whole.places.extend(moved);
        whole
    }

    /// Writes a place.
    ///
    /// # Panics
    /// Without such a place, or when it is not as wide as `text`.
    pub fn set(&mut self, name: &str, text: &[u8]) {
        self.at(name).copy_from_slice(text);
    }

    /// Writes a number with zeros in front; digits that have no room are left out.
    ///
    /// # Panics
    /// Without such a place.
    pub fn set_hex(&mut self, name: &str, number: u64) {
        let mut rest = number;
        for digit in self.at(name).iter_mut().rev() {
            *digit = b"0123456789abcdef"[(rest & 15) as usize];
            rest >>= 4;
        }
    }

    fn at(&mut self, name: &str) -> &mut [u8] {
        let place = self.places.iter().find(|(known, _)| *known == name);
        let (_, range) = place.expect("a template has every place that is written");
        &mut self.bytes[range.clone()]
    }

    /// The request as it is now.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_anew_and_the_rest_stays() {
        let body = Template::new("{").place("sum", 3).text("}");
        let mut request = Template::new("POST / HTTP/1.1\r\nKey: a-")
            .place("count", 4)
            .body(body);
        for (count, text) in [(0x1f, "001f"), (0, "0000"), (0xabcde, "bcde")] {
            request.set_hex("count", count);
            request.set("sum", b"125");
            let expected =
                format!("POST / HTTP/1.1\r\nKey: a-{text}\r\nContent-Length: 5\r\n\r\n{{125}}");
            assert_eq!(String::from_utf8_lossy(request.bytes()), expected);
        }
    }
}
