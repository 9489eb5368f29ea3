//! Assembles the operations of the program for each processor.

/// A C library function. The value is its index in the table of addresses.
#[derive(Clone, Copy)]
pub(super) enum Function {
    Malloc,
    Free,
    Unlock,
    Exit,
}

/// The names of the functions, in the order of [`Function`].
pub(super) const FUNCTIONS: [&str; 4] = ["malloc", "free", "pthread_mutex_unlock", "exit"];

/// An operation of the program. Each processor has its own instructions for it.
#[derive(Clone, Copy)]
pub(super) enum Operation {
    /// Calls a function with this number.
    Call(Function, u32),
    /// Calls a function with the saved value.
    CallSaved(Function),
    /// Calls a function with the address of a mutex that was never initialized.
    CallMutex(Function),
    /// Saves the return value of the last call.
    Save,
    /// Reads the byte at this offset from the saved address.
    Read(u32),
    /// Clears the saved value and all registers that may contain a copy of it.
    Forget,
}

/// Memory layout: read-only instructions and tables on the first page, everything else on the
/// second.
pub(super) const BASE: u64 = 0x40_0000;
pub(super) const PAGE: u64 = 0x1_0000;
pub(super) const DATA: u64 = BASE + PAGE;

/// The second page: the table of addresses, then a mutex, then the dynamic section.
pub(super) const TABLE: u64 = DATA;
pub(super) const MUTEX: u64 = TABLE + 8 * FUNCTIONS.len() as u64;
pub(super) const DYNAMIC: u64 = MUTEX + 64;

/// The saved value is in `rbx`. The stack of a new program is aligned as calls need it.
pub(super) fn assemble_x86_64(operations: &[Operation]) -> Vec<u8> {
    let mut code = Vec::new();
    let call = |function: Function, code: &mut Vec<u8>| {
        // call [absolute]: FF /2 with a SIB byte that names no register.
        code.extend([0xff, 0x14, 0x25]);
        code.extend((address(function) as u32).to_le_bytes());
    };
    for operation in operations {
        match *operation {
            Operation::Call(function, number) => {
                code.push(0xbf);
                code.extend(number.to_le_bytes());
                call(function, &mut code);
            }
            Operation::CallSaved(function) => {
                code.extend([0x48, 0x89, 0xdf]);
                call(function, &mut code);
            }
            Operation::CallMutex(function) => {
                code.push(0xbf);
                code.extend((MUTEX as u32).to_le_bytes());
                call(function, &mut code);
            }
            Operation::Save => code.extend([0x48, 0x89, 0xc3]),
            Operation::Read(at) => {
                code.extend([0x8a, 0x83]);
                code.extend(at.to_le_bytes());
            }
            // xor of rbx, rax, rcx, rdx, rsi, rdi, r8 to r11.
            Operation::Forget => code.extend([
                0x31, 0xdb, 0x31, 0xc0, 0x31, 0xc9, 0x31, 0xd2, 0x31, 0xf6, 0x31, 0xff, 0x45, 0x31,
                0xc0, 0x45, 0x31, 0xc9, 0x45, 0x31, 0xd2, 0x45, 0x31, 0xdb,
            ]),
        }
    }
    code
}

/// The saved value is in `x19`. Addresses are loaded into `x16`.
pub(super) fn assemble_aarch64(operations: &[Operation]) -> Vec<u8> {
    let mut code: Vec<u32> = Vec::new();
    // movz and movk: the lower and the upper half of a number.
    let set = |register: u32, number: u32, code: &mut Vec<u32>| {
        code.push(0xd280_0000 | (number & 0xffff) << 5 | register);
        code.push(0xf2a0_0000 | (number >> 16) << 5 | register);
    };
    let call = |function: Function, code: &mut Vec<u32>| {
        set(16, address(function) as u32, code);
        // ldr x16, [x16]; blr x16
        code.extend([0xf940_0210, 0xd63f_0200]);
    };
    for operation in operations {
        match *operation {
            Operation::Call(function, number) => {
                set(0, number, &mut code);
                call(function, &mut code);
            }
            Operation::CallSaved(function) => {
                code.push(0xaa13_03e0);
                call(function, &mut code);
            }
            Operation::CallMutex(function) => {
                set(0, MUTEX as u32, &mut code);
                call(function, &mut code);
            }
            Operation::Save => code.push(0xaa00_03f3),
            Operation::Read(at) => {
                set(1, at, &mut code);
                // ldrb w0, [x19, x1]
                code.push(0x3861_6a60);
            }
            // mov xN, xzr
            Operation::Forget => {
                code.extend((0..18).chain([19]).map(|register| 0xaa1f_03e0 | register))
            }
        }
    }
    code.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Returns the entry of a function in the table of addresses.
fn address(function: Function) -> u64 {
    TABLE + 8 * function as u64
}
