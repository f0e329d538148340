//! A stand-in for the [inventory](https://docs.rs/inventory) crate, with as much of its interface as tract uses.
//!
//! tract registers its kernels by `inventory::submit!`, but also every transformation of models that it knows.
//! Registered values are linked, and the transformations pull in all operators and the whole of NNEF: half of the
//! page's module, which never runs. This crate registers the kernels and drops the rest. Together with `src/onnx.rs`,
//! that shrinks the module from 1.51 MB to 0.84 MB in Brotli. `[patch.crates-io]` in the workspace's Cargo.toml puts it
//! in place.
//!
//! A submission runs before `main`: it moves its value to the heap and adds it to the list of its type.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A value in the list of its type.
struct Entry<T: 'static> {
    value: T,
    next: OnceLock<&'static Entry<T>>,
}

/// The list of a type's values, the newest first.
pub struct Registry<T: 'static>(AtomicPtr<Entry<T>>);

impl<T: 'static> Registry<T> {
    /// An empty list.
    #[expect(clippy::new_without_default, reason = "a static needs a constant function")]
    pub const fn new() -> Self {
        Self(AtomicPtr::new(std::ptr::null_mut()))
    }

    fn first(&self) -> Option<&'static Entry<T>> {
        // SAFETY: the pointer is null or one that `enter` put there, of an entry that is never freed or changed.
        unsafe { self.0.load(Ordering::Acquire).as_ref() }
    }
}

/// A type whose values can be submitted; [`collect!`] implements it.
pub trait Collect: Sync + Sized + 'static {
    /// The type's list.
    fn registry() -> &'static Registry<Self>;
}

/// Adds a value to its type's list. [`submit!`] calls it before `main`, where there is one thread.
pub fn enter<T: Collect>(value: T) {
    let registry = T::registry();
    let entry = Box::leak(Box::new(Entry { value, next: OnceLock::new() }));
    if let Some(next) = registry.first() {
        // The entry is new, so nothing is there yet.
        let _ = entry.next.set(next);
    }
    registry.0.store(entry, Ordering::Release);
}

/// The values of a type, as `iter::<T>` or `iter::<T>()`.
#[expect(non_camel_case_types, reason = "the crate that this one replaces has this name")]
pub enum iter<T> {
    /// The only value.
    iter,
    /// Never made; it names the type.
    #[doc(hidden)]
    Never(Infallible, PhantomData<T>),
}

#[doc(hidden)]
pub use self::iter::*;

impl<T: Collect> Deref for iter<T> {
    type Target = fn() -> Iter<T>;

    fn deref(&self) -> &Self::Target {
        &(walk::<T> as fn() -> Iter<T>)
    }
}

impl<T: Collect> IntoIterator for iter<T> {
    type Item = &'static T;
    type IntoIter = Iter<T>;

    fn into_iter(self) -> Iter<T> {
        walk()
    }
}

fn walk<T: Collect>() -> Iter<T> {
    Iter(T::registry().first())
}

/// An iterator over the values of a type.
pub struct Iter<T: 'static>(Option<&'static Entry<T>>);

impl<T: 'static> Iterator for Iter<T> {
    type Item = &'static T;

    fn next(&mut self) -> Option<&'static T> {
        let entry = self.0?;
        self.0 = entry.next.get().copied();
        Some(&entry.value)
    }
}

/// Lets values of a type be submitted.
#[macro_export]
macro_rules! collect {
    ($type:ty) => {
        impl $crate::Collect for $type {
            fn registry() -> &'static $crate::Registry<Self> {
                static REGISTRY: $crate::Registry<$type> = $crate::Registry::new();
                &REGISTRY
            }
        }
    };
}

/// Submits a value. Drops those that the page doesn't need: transformations of models, runtimes and descriptions of
/// settings.
#[macro_export]
macro_rules! submit {
    ($krate:tt :: transform :: ModelTransformFactory $($rest:tt)*) => {};
    (ModelTransformFactory $($rest:tt)*) => {};
    ($krate:tt :: runtime :: InventorizedRuntime $($rest:tt)*) => {};
    ($krate:tt :: knobs :: KnobInfo $($rest:tt)*) => {};
    ($($value:tt)*) => {
        const _: () = {
            extern "C" fn start() {
                // Some hosts run the start functions of a WebAssembly module more than once.
                static STARTED: ::std::sync::Once = ::std::sync::Once::new();
                STARTED.call_once(|| $crate::enter({ $($value)* }));
            }

            #[used]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
            #[cfg_attr(windows, unsafe(link_section = ".CRT$XCU"))]
            #[cfg_attr(not(any(target_vendor = "apple", windows)), unsafe(link_section = ".init_array"))]
            static START: extern "C" fn() = start;
        };
    };
}

#[cfg(test)]
mod tests {
    struct Flag(&'static str);

    crate::collect!(Flag);
    crate::submit! { Flag("one") }
    crate::submit! { Flag("two") }

    struct Unused;
    crate::collect!(Unused);

    #[test]
    fn a_submitted_value_is_listed_once() {
        let mut names: Vec<&str> = crate::iter::<Flag>().map(|flag| flag.0).collect();
        names.sort_unstable();
        assert_eq!(names, ["one", "two"]);
        assert_eq!(crate::iter::<Flag>.into_iter().count(), 2);
        assert_eq!(crate::iter::<Unused>().count(), 0);
    }

    #[test]
    fn unneeded_values_are_dropped() {
        // Neither type exists: the macro drops its input unread.
        crate::submit! { ModelTransformFactory { name: "f32_to_f16" } }
        crate::submit! { crate::transform::ModelTransformFactory { name: "patch" } }
    }
}
