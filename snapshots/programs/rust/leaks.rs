//! Rust that leaks and errs on purpose. The argument names the case.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hint::black_box;
use std::rc::Rc;

mod shelf {
    /// A generic type, for its names in stacks.
    pub struct Shelf<T, const N: usize> {
        pub items: Box<[T; N]>,
    }

    impl<T: Default + Copy, const N: usize> Shelf<T, N> {
        #[inline(never)]
        pub fn new() -> Shelf<T, N> {
            Shelf { items: Box::new([T::default(); N]) }
        }
    }

    pub trait Lose {
        fn lose(&self) -> usize;
    }

    impl<T: Default + Copy, const N: usize> Lose for Shelf<T, N> {
        #[inline(never)]
        fn lose(&self) -> usize {
            std::mem::forget(Shelf::<T, N>::new());
            self.items.len()
        }
    }
}

use shelf::{Lose, Shelf};

#[inline(never)]
fn box_leak() {
    black_box(&*Box::leak(Box::new([7u64; 8])));
}

#[inline(never)]
fn forget_vec() {
    std::mem::forget(black_box(Vec::<u32>::with_capacity(100)));
}

#[inline(never)]
fn forget_map() {
    let mut map: HashMap<String, Vec<u8>> = HashMap::new();
    map.insert("first".to_owned(), vec![1; 300]);
    map.insert("second".to_owned(), vec![2; 500]);
    std::mem::forget(black_box(map));
}

struct Friend {
    other: RefCell<Option<Rc<Friend>>>,
}

#[inline(never)]
fn rc_cycle() {
    let one = Rc::new(Friend { other: RefCell::new(None) });
    let two = Rc::new(Friend { other: RefCell::new(Some(one.clone())) });
    *one.other.borrow_mut() = Some(two); // each keeps the other
}

#[inline(never)]
fn generics() {
    let shelf: Box<dyn Lose> = Box::new(Shelf::<u16, 33>::new());
    black_box(shelf.lose());
}

#[inline(never)]
fn closures() {
    let lose = |length: usize| std::mem::forget(black_box("x".repeat(length)));
    (1..=3).map(|n| n * 10).for_each(lose);
}

#[inline(never)]
fn in_thread() {
    let worker = std::thread::Builder::new().name("worker one".to_owned());
    let handle = worker.spawn(|| std::mem::forget(black_box(vec![1u8; 77])));
    if let Ok(handle) = handle {
        handle.join().ok();
    }
}

#[inline(never)]
fn raw() {
    black_box(Box::into_raw(Box::new(*b"twelve bytes")));
}

#[inline(never)]
fn use_after_free() {
    let pointer = Box::into_raw(Box::new(41i32));
    // SAFETY: none; this is the bug, a read of memory that was given back.
    unsafe {
        drop(Box::from_raw(pointer));
        black_box(std::ptr::read_volatile(black_box(pointer)));
    }
}

#[inline(never)]
fn out_of_bounds() {
    let numbers = vec![1u8, 2, 3];
    // SAFETY: none; the index is one too large.
    black_box(unsafe { *numbers.as_ptr().add(black_box(3)) });
}

#[inline(never)]
fn double_free() {
    let pointer = Box::into_raw(Box::new([0u8; 40]));
    // SAFETY: none; the block is given back twice.
    unsafe {
        drop(Box::from_raw(pointer));
        drop(Box::from_raw(black_box(pointer)));
    }
}

#[inline(never)]
fn panics() {
    box_leak();
    panic!("expected, says the test");
}

fn main() {
    let cases: [(&str, fn()); 12] = [
        ("box-leak", box_leak),
        ("forget-vec", forget_vec),
        ("forget-map", forget_map),
        ("rc-cycle", rc_cycle),
        ("generics", generics),
        ("closures", closures),
        ("thread", in_thread),
        ("into-raw", raw),
        ("use-after-free", use_after_free),
        ("out-of-bounds", out_of_bounds),
        ("double-free", double_free),
        ("panic", panics),
    ];
    let wanted = std::env::args().nth(1).unwrap_or_default();
    for (index, (name, run)) in cases.iter().enumerate() {
        if *name == wanted || wanted == "all-leaks" && index < 8 {
            run();
        }
    }
}
