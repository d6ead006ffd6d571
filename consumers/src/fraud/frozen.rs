//! Values as bytes, for what is put aside on the disk and read again by the same process.
//!
//! # Simplifications
//! - The bytes say neither what they are nor in which version: no other process reads them.

use std::collections::VecDeque;

/// What can be put aside as bytes.
pub(super) trait Frozen: Sized {
    /// Adds its bytes.
    fn freeze(&self, bytes: &mut Vec<u8>);

    /// Takes one off the front of the bytes.
    ///
    /// # Panics
    /// When they are not those that [`freeze`](Self::freeze) added.
    fn thaw(bytes: &mut &[u8]) -> Self;
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Frozen for $number {
            fn freeze(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_ne_bytes());
            }

            fn thaw(bytes: &mut &[u8]) -> Self {
                let (number, rest) = bytes.split_first_chunk().expect("all bytes that were put aside");
                *bytes = rest;
                Self::from_ne_bytes(*number)
            }
        }
    )*};
}

numbers!(u8 u16 u32 i32 i64 f32 f64);

/// Implements [`Frozen`] for a struct of these fields, which must be all that it has.
macro_rules! frozen {
    ($of:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::fraud::frozen::Frozen for $of {
            fn freeze(&self, bytes: &mut Vec<u8>) {
                let Self { $($field),+ } = self;
                $($crate::fraud::frozen::Frozen::freeze($field, bytes);)+
            }

            fn thaw(bytes: &mut &[u8]) -> Self {
                $(let $field = $crate::fraud::frozen::Frozen::thaw(bytes);)+
                Self { $($field),+ }
            }
        }
    };
}

pub(super) use frozen;

impl<A: Frozen, B: Frozen> Frozen for (A, B) {
    fn freeze(&self, bytes: &mut Vec<u8>) {
        self.0.freeze(bytes);
        self.1.freeze(bytes);
    }

    fn thaw(bytes: &mut &[u8]) -> Self {
        (A::thaw(bytes), B::thaw(bytes))
    }
}

impl<T: Frozen, const N: usize> Frozen for [T; N] {
    fn freeze(&self, bytes: &mut Vec<u8>) {
        for one in self {
            one.freeze(bytes);
        }
    }

    fn thaw(bytes: &mut &[u8]) -> Self {
        std::array::from_fn(|_| T::thaw(bytes))
    }
}

impl<T: Frozen> Frozen for Box<T> {
    fn freeze(&self, bytes: &mut Vec<u8>) {
        T::freeze(self, bytes);
    }

    fn thaw(bytes: &mut &[u8]) -> Self {
        Self::new(T::thaw(bytes))
    }
}

impl<T: Frozen> Frozen for Option<T> {
    fn freeze(&self, bytes: &mut Vec<u8>) {
        u8::from(self.is_some()).freeze(bytes);
        if let Some(one) = self {
            one.freeze(bytes);
        }
    }

    fn thaw(bytes: &mut &[u8]) -> Self {
        (u8::thaw(bytes) == 1).then(|| T::thaw(bytes))
    }
}

impl<T: Frozen> Frozen for VecDeque<T> {
    fn freeze(&self, bytes: &mut Vec<u8>) {
        (self.len() as u32).freeze(bytes);
        for one in self {
            one.freeze(bytes);
        }
    }

    fn thaw(bytes: &mut &[u8]) -> Self {
        let len = u32::thaw(bytes);
        (0..len).map(|_| T::thaw(bytes)).collect()
    }
}

impl<T: Frozen> Frozen for Vec<T> {
    fn freeze(&self, bytes: &mut Vec<u8>) {
        (self.len() as u32).freeze(bytes);
        for one in self {
            one.freeze(bytes);
        }
    }

    fn thaw(bytes: &mut &[u8]) -> Self {
        let len = u32::thaw(bytes);
        (0..len).map(|_| T::thaw(bytes)).collect()
    }
}
