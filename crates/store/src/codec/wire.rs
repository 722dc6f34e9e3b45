//! The primitives: bytes, varints, times, texts.

use std::sync::Arc;

use ledger::{Amount, Currency, Millis};

use crate::codes::Code;

/// Why bytes are not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CodecError {
    #[error("the record ends too early")]
    Short,
    #[error("the record has version {0}, this release reads version 1")]
    Version(u8),
    #[error("{tag} is no {what}")]
    Tag { what: &'static str, tag: u8 },
    #[error("the record has an impossible {0}")]
    Value(&'static str),
    #[error("{0} bytes are left over")]
    LeftOver(usize),
}

/// Appends fields to a buffer.
pub(crate) struct Encoder<'a> {
    out: &'a mut Vec<u8>,
    at: Millis,
}

impl<'a> Encoder<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>, at: Millis) -> Encoder<'a> {
        Encoder { out, at }
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.out.push(u8::from(value));
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub(crate) fn id(&mut self, raw: u64) {
        self.out.extend_from_slice(&raw.to_le_bytes());
    }

    pub(crate) fn uint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }

    /// Zigzag: small numbers of either sign are short.
    pub(crate) fn int(&mut self, value: i64) {
        self.uint(((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    pub(crate) fn time(&mut self, time: Millis) {
        // Wrapping is exact: decoding adds back the same number, modulo 2^64.
        self.int(time.0.wrapping_sub(self.at.0));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.uint(text.len() as u64);
        self.out.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn amount(&mut self, amount: Amount) {
        self.bytes(&amount.currency().bytes());
        self.int(amount.minor());
    }

    pub(crate) fn option<T>(&mut self, value: Option<T>, encode: impl FnOnce(&mut Self, T)) {
        self.bool(value.is_some());
        if let Some(value) = value {
            encode(self, value);
        }
    }
}

/// Takes fields off a slice.
pub(crate) struct Decoder<'a> {
    bytes: &'a [u8],
    at: Millis,
}

type Decoded<T> = Result<T, CodecError>;

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8], at: Millis) -> Decoder<'a> {
        Decoder { bytes, at }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn finish(&self) -> Decoded<()> {
        if self.bytes.is_empty() {
            Ok(())
        } else {
            Err(CodecError::LeftOver(self.bytes.len()))
        }
    }

    pub(crate) fn byte(&mut self) -> Decoded<u8> {
        let (first, rest) = self.bytes.split_first().ok_or(CodecError::Short)?;
        self.bytes = rest;
        Ok(*first)
    }

    pub(crate) fn bool(&mut self) -> Decoded<bool> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(CodecError::Value("flag")),
        }
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Decoded<[u8; N]> {
        let (array, rest) = self
            .bytes
            .split_first_chunk::<N>()
            .ok_or(CodecError::Short)?;
        self.bytes = rest;
        Ok(*array)
    }

    pub(crate) fn id(&mut self) -> Decoded<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(crate) fn uint(&mut self) -> Decoded<u64> {
        let mut value: u64 = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            // A last group of zero adds nothing: encoding would have left it out.
            let padded = shift > 0 && byte == 0;
            if padded || (shift == 63 && part > 1) {
                return Err(CodecError::Value("number"));
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(CodecError::Value("number"))
    }

    pub(crate) fn int(&mut self) -> Decoded<i64> {
        let value = self.uint()?;
        Ok((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
    }

    pub(crate) fn time(&mut self) -> Decoded<Millis> {
        Ok(Millis(self.int()?.wrapping_add(self.at.0)))
    }

    pub(crate) fn text(&mut self) -> Decoded<Arc<str>> {
        let length = usize::try_from(self.uint()?).map_err(|_| CodecError::Short)?;
        if length > self.bytes.len() {
            return Err(CodecError::Short);
        }
        let (text, rest) = self.bytes.split_at(length);
        self.bytes = rest;
        std::str::from_utf8(text)
            .map(Arc::from)
            .map_err(|_| CodecError::Value("text"))
    }

    pub(crate) fn currency(&mut self) -> Decoded<Currency> {
        let bytes: [u8; 3] = self.array()?;
        for known in [Currency::USD, Currency::EUR, Currency::GBP] {
            if known.bytes() == bytes {
                return Ok(known);
            }
        }
        let code = std::str::from_utf8(&bytes).map_err(|_| CodecError::Value("currency"))?;
        Currency::parse(code).map_err(|_| CodecError::Value("currency"))
    }

    pub(crate) fn amount(&mut self) -> Decoded<Amount> {
        let currency = self.currency()?;
        Amount::new(self.int()?, currency).map_err(|_| CodecError::Value("amount"))
    }

    pub(crate) fn code<T: Code>(&mut self) -> Decoded<T> {
        let tag = self.byte()?;
        T::from_code(tag).ok_or(CodecError::Tag { what: T::WHAT, tag })
    }

    pub(crate) fn option<T>(
        &mut self,
        decode: impl FnOnce(&mut Self) -> Decoded<T>,
    ) -> Decoded<Option<T>> {
        if self.bool()? {
            decode(self).map(Some)
        } else {
            Ok(None)
        }
    }
}
