// Undefined behaviour and leaks that Miri tells apart. The argument names the case.
use std::rc::Rc;
use std::sync::{Arc, Mutex};

struct Node {
    next: std::cell::RefCell<Option<Rc<Node>>>,
}

fn leak() {
    std::mem::forget(vec![1u8; 77]);
    std::mem::forget(Box::new([0u64; 4]));
}

fn cycle() {
    let node = Rc::new(Node { next: None.into() });
    *node.next.borrow_mut() = Some(Rc::clone(&node)); // it keeps itself alive
}

fn after_free() -> u8 {
    let block = vec![1u8; 16];
    let pointer = block.as_ptr();
    drop(block);
    unsafe { *pointer.add(3) }
}

fn out_of_bounds() -> u8 {
    let block = vec![1u8; 16];
    unsafe { *block.as_ptr().add(16) }
}

fn unset() -> bool {
    let byte = std::mem::MaybeUninit::<u8>::uninit();
    unsafe { byte.assume_init() > 3 }
}

fn not_aligned() -> u32 {
    let bytes = [0u8; 16];
    let odd = bytes.as_ptr().wrapping_add(bytes.as_ptr().align_offset(4) + 1);
    unsafe { *odd.cast::<u32>() }
}

fn two_references() -> i32 {
    let mut value = 1;
    let pointer = &raw mut value;
    let first = unsafe { &mut *pointer };
    let second = unsafe { &mut *pointer };
    *second = 2;
    *first // the second one ended its life
}

fn bad_bool() -> bool {
    unsafe { std::mem::transmute::<u8, bool>(3) }
}

fn race() {
    static mut COUNT: u32 = 0;
    let threads: Vec<_> = (0..2).map(|_| std::thread::spawn(|| unsafe { COUNT += 1 })).collect();
    for thread in threads {
        let _ = thread.join();
    }
}

fn deadlock() {
    let lock = Arc::new(Mutex::new(()));
    let held = lock.lock();
    let other = Arc::clone(&lock);
    let waits = std::thread::spawn(move || drop(other.lock()));
    let _ = waits.join();
    drop(held);
}

fn unsupported() {
    let _ = std::process::Command::new("true").status();
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("leak") => leak(),
        Some("cycle") => cycle(),
        Some("leak-and-error") => {
            leak();
            after_free();
        }
        Some("use-after-free") => drop(after_free()),
        Some("out-of-bounds") => drop(out_of_bounds()),
        Some("unset") => drop(unset()),
        Some("not-aligned") => drop(not_aligned()),
        Some("two-references") => drop(two_references()),
        Some("bad-bool") => drop(bad_bool()),
        Some("race") => race(),
        Some("deadlock") => deadlock(),
        Some("abort") => std::process::abort(),
        Some("unsupported") => unsupported(),
        _ => {}
    }
}
