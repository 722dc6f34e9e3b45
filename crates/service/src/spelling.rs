//! Numbers as text: Crockford's base 32, for ids and secrets.

/// Crockford's alphabet: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of a 64-bit number.
pub const ID_CHARS: usize = 13;

/// A 64-bit number as 13 characters, the most significant first.
#[must_use]
pub fn id_text(id: u64) -> [u8; ID_CHARS] {
    let mut text = [b'0'; ID_CHARS];
    let mut rest = id;
    for character in text.iter_mut().rev() {
        *character = ALPHABET[(rest & 31) as usize];
        rest >>= 5;
    }
    text
}

/// An id with the prefix that tells its kind, as the Sequence and admin APIs spell it.
#[must_use]
pub fn spelled(prefix: &str, id: u64) -> String {
    let text = id_text(id);
    let text = std::str::from_utf8(&text).expect("base 32 is ASCII");
    format!("{prefix}{text}")
}

/// The number that [`id_text`] spells so, in exactly that spelling.
#[must_use]
pub fn parse_id(text: &str) -> Option<u64> {
    if text.len() != ID_CHARS {
        return None;
    }
    text.bytes().try_fold(0u64, |number, character| {
        let digit = ALPHABET.iter().position(|known| *known == character)? as u64;
        // Thirteen characters carry 65 bits: the first may only be 0 to F.
        if number >> 59 != 0 {
            None
        } else {
            Some((number << 5) | digit)
        }
    })
}

/// Bytes as base 32, five bits a character, the last padded with zeros.
#[must_use]
pub fn bytes_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut pending, mut bits) = (0u32, 0u32);
    for byte in bytes {
        pending = (pending << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[((pending >> bits) & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(
            ALPHABET[((pending << (5 - bits)) & 31) as usize],
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_and_have_one_spelling() {
        for id in [0, 1, 31, 32, u64::MAX, 117_637_160_960_000_000, 1 << 63] {
            let text = id_text(id);
            let text = std::str::from_utf8(&text).expect("ASCII");
            assert_eq!(parse_id(text), Some(id), "{text}");
        }
        for wrong in [
            "",
            "0",
            "00000000000000",
            "G000000000000",
            "000000000000I",
            "000000000000a",
        ] {
            assert_eq!(parse_id(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ids_sort_like_their_spelling() {
        assert!(id_text(5) < id_text(6));
        assert!(id_text(31) < id_text(32));
        assert!(id_text(u64::MAX - 1) < id_text(u64::MAX));
    }

    #[test]
    fn thirty_two_bytes_take_fifty_two_characters() {
        assert_eq!(bytes_text(&[0xff; 32]).len(), 52);
        assert_eq!(bytes_text(&[0; 5]), "00000000");
    }
}
