//! A family tree.

use std::cell::RefCell;
use std::rc::Rc;

/// A person, with a link to the parent and links to the children.
#[derive(Default)]
pub struct Person {
    pub parent: RefCell<Option<Rc<Person>>>,
    pub children: RefCell<Vec<Rc<Person>>>,
}

/// Adds a child to a person, and returns it.
pub fn add_child(parent: &Rc<Person>) -> Rc<Person> {
    let child = Rc::new(Person::default());
    *child.parent.borrow_mut() = Some(Rc::clone(parent));
    parent.children.borrow_mut().push(Rc::clone(&child));
    child
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn child_is_added() {
        let ada = Rc::new(Person::default());
        add_child(&ada);
        assert_eq!(ada.children.borrow().len(), 1);
    }
}
