//! Conversion of findings, stacks and frames.

use alloc::borrow::Cow;
use alloc::sync::Arc;

use super::{borrow, hex, own, parse_hex};
use crate::culprit::Class;
use crate::model::{self, Kind, Role, Text, Tool};
use crate::wire::{Finding, Frame, Instance, Leak, Stack, Suppression};

impl From<model::Leak> for Leak {
    fn from(leak: model::Leak) -> Self {
        Self {
            bytes: leak.bytes,
            blocks: leak.blocks,
            direct_bytes: leak.direct_bytes,
            indirect_bytes: leak.indirect_bytes,
        }
    }
}

impl Leak {
    /// Returns the sizes of one of `records` equal records.
    fn of_one_record(&self, records: u64) -> model::Leak {
        let records = records.max(1);
        model::Leak {
            bytes: self.bytes / records,
            blocks: self.blocks / records,
            direct_bytes: self.direct_bytes / records,
            indirect_bytes: self.indirect_bytes / records,
        }
    }
}

impl From<Finding<'_>> for model::Finding {
    fn from(wire: Finding<'_>) -> Self {
        let occurrences = wire.occurrences;
        Self {
            tool: Tool::from_name(&wire.tool),
            kind: Kind::from_json(&wire.kind),
            title: wire.title.into(),
            leak: wire.leak.map(|leak| leak.of_one_record(occurrences)),
            stacks: wire.stacks.into_iter().map(Into::into).collect(),
            notes: wire.notes.into_iter().map(Text::from).collect(),
            generated_suppression: wire.suppression.map(Into::into),
            occurrences,
            inherited: wire.inherited,
            instances: wire.instances.into_iter().map(Into::into).collect(),
        }
    }
}

impl<'a> From<&'a model::GeneratedSuppression> for Suppression<'a> {
    fn from(suppression: &'a model::GeneratedSuppression) -> Self {
        Self {
            kind: (&*suppression.kind).into(),
            extra: borrow(&suppression.extra),
            frames: suppression.frames.iter().map(|f| (&**f).into()).collect(),
        }
    }
}

impl From<Suppression<'_>> for model::GeneratedSuppression {
    fn from(wire: Suppression<'_>) -> Self {
        Self {
            kind: wire.kind.into(),
            extra: own(wire.extra),
            frames: wire.frames.into_iter().map(Text::from).collect(),
        }
    }
}

impl<'a> Stack<'a> {
    pub(crate) fn new(stack: &'a model::Stack, classes: &[Class]) -> Self {
        let frames = stack.frames.iter().zip(classes);
        Self {
            role: stack.role.as_str().into(),
            label: borrow(&stack.label),
            frames: frames
                .map(|(frame, class)| Frame::new(frame, *class))
                .collect(),
        }
    }
}

/// An unknown role of a newer leakgate becomes [`Role::Other`].
impl From<Stack<'_>> for model::Stack {
    fn from(wire: Stack<'_>) -> Self {
        let role = Role::ALL.iter().find(|r| r.as_str() == wire.role);
        Self {
            role: role.copied().unwrap_or(Role::Other),
            label: own(wire.label),
            frames: wire.frames.into_iter().map(Into::into).collect(),
        }
    }
}

impl<'a> Frame<'a> {
    fn new(frame: &'a model::Frame, class: Class) -> Self {
        let info = &frame.info;
        let symbol = info
            .function
            .as_deref()
            .filter(|_| info.demangled.is_some());
        Self {
            index: frame.index,
            address: hex(frame.address),
            function: info.name().map(Cow::Borrowed),
            symbol: symbol.map(Cow::Borrowed),
            file: borrow(&info.file),
            line: info.line,
            column: info.column,
            module: borrow(&info.module),
            offset: hex(info.offset),
            build_id: borrow(&info.build_id),
            inlined: frame.inlined,
            class: class.as_str().into(),
        }
    }
}

impl From<Frame<'_>> for model::Frame {
    fn from(wire: Frame<'_>) -> Self {
        let is_mangled = wire.symbol.is_some();
        let (function, demangled) = if is_mangled {
            (wire.symbol, wire.function)
        } else {
            (wire.function, None)
        };
        let info = model::FrameInfo {
            function: own(function),
            demangled: own(demangled),
            file: own(wire.file),
            line: wire.line,
            column: wire.column,
            module: own(wire.module),
            offset: parse_hex(wire.offset),
            build_id: own(wire.build_id),
            ..model::FrameInfo::default()
        };
        Self {
            index: wire.index,
            address: parse_hex(wire.address),
            inlined: wire.inlined,
            info: Arc::new(info),
        }
    }
}

impl From<&model::Instance> for Instance {
    fn from(instance: &model::Instance) -> Self {
        Self {
            input: instance.input,
            report: instance.report,
            pid: instance.pid,
            first_line: instance.first_line,
            last_line: instance.last_line,
        }
    }
}

impl From<Instance> for model::Instance {
    fn from(wire: Instance) -> Self {
        Self {
            input: wire.input,
            report: wire.report,
            pid: wire.pid,
            first_line: wire.first_line,
            last_line: wire.last_line,
        }
    }
}
