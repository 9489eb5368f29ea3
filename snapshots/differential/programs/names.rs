//! Rust names of every sort in stacks, each with a size of its own.

use std::hint::black_box;

mod store {
    /// A generic type, for its names in stacks.
    pub struct Shelf<T, const N: usize>(#[allow(dead_code)] Box<[T; N]>);

    pub trait Lose {
        fn lose(&self);
    }

    impl<T: Default + Copy, const N: usize> Shelf<T, N> {
        #[inline(never)]
        pub fn new() -> Self {
            Shelf(Box::new([T::default(); N]))
        }
    }

    impl<T: Default + Copy, const N: usize> Lose for Shelf<T, N> {
        #[inline(never)]
        fn lose(&self) {
            std::mem::forget(Shelf::<T, N>::new());
        }
    }

    pub mod deep {
        #[inline(never)]
        pub fn work() {
            std::mem::forget(vec![1u8; 203]);
        }
    }
}

use store::{Lose, Shelf};

#[inline(never)]
fn work() {
    std::mem::forget(String::with_capacity(201));
}

#[inline(never)]
fn boxed() {
    std::mem::forget(Box::new([7u8; 202]));
}

#[inline(never)]
fn shelves() {
    let shelf = Shelf::<u16, 102>::new();
    let lose: &dyn Lose = &shelf;
    lose.lose();
}

#[inline(never)]
fn closures() {
    let size = black_box(205);
    let held: Box<dyn Fn()> = Box::new(move || std::mem::forget(Vec::<u8>::with_capacity(size)));
    held();
}

#[inline(never)]
fn nested() {
    let inner: Vec<Vec<u8>> = vec![Vec::with_capacity(206)]; // the outer one is lost, the inner one through it
    std::mem::forget(inner);
}

fn in_thread() {
    std::mem::forget(vec![2u8; 207]);
}

#[inline(never)]
fn read_freed() {
    let block = Box::into_raw(Box::new([1u64; 26]));
    unsafe {
        drop(Box::from_raw(block));
        black_box(std::ptr::read_volatile(block.cast::<u32>()));
    }
}

/// Removes what earlier calls left on the stack, so that no stale pointer keeps a block.
#[inline(never)]
fn scrub() {
    black_box([0u8; 8192]);
}

fn main() {
    read_freed();
    for one in [work, boxed, store::deep::work, shelves, closures, nested] {
        one();
        scrub();
    }
    std::thread::spawn(in_thread).join().ok();
}
