//! Things that are chosen by name, on the command line and in the configuration file.

/// A kind of thing that is chosen by name.
pub(crate) trait Choice: Copy + PartialEq + 'static {
    /// Every choice with its name, in the order that help lists them.
    const NAMED: &'static [(&'static str, Self)];

    /// The names of all choices.
    fn names() -> impl Iterator<Item = &'static str> {
        Self::NAMED.iter().map(|(name, _)| *name)
    }

    /// The choice of this name.
    fn from_name(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(known, _)| *known == name).map(|(_, choice)| *choice)
    }

    /// The name of this choice.
    fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, choice)| *choice == self).map_or("", |(name, _)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::protocol::Protocol;
    use crate::models::ModelKind;
    use crate::models::external::request::{Metric, Storage};
    use crate::models::sequence::network::Mixer;

    fn assert_named<T: Choice + std::fmt::Debug>(names: &[&str]) {
        assert_eq!(T::names().collect::<Vec<_>>(), names);
        for (name, choice) in T::NAMED {
            assert_eq!((T::from_name(name), choice.name()), (Some(*choice), *name));
        }
        assert_eq!(T::from_name("none of them"), None);
    }

    #[test]
    fn every_choice_has_a_name_of_its_own() {
        assert_named::<Protocol>(&["p1", "p2", "p3", "p4", "p5"]);
        assert_named::<ModelKind>(&["tower", "seed-network", "als"]);
        assert_named::<Metric>(&["dot", "cosine", "l2"]);
        assert_named::<Storage>(&["int8", "float"]);
        assert_named::<Mixer>(&["recurrence", "attention"]);
    }
}
