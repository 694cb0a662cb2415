//! Who needs whom: the order of resources, circles among them, and drawings. Pure.

use std::collections::HashMap;
use std::fmt::Write;

use crate::sensitive::quoted;

/// So many members of a circle are shown.
const MAX_SHOWN: usize = 20;

/// Resources by their names, and what each needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    names: Vec<String>,
    needs: Vec<Vec<usize>>,
}

impl Graph {
    /// The graph of these resources, each with the names of those that it needs. A need that none of them is does not
    /// count.
    pub fn new(resources: impl IntoIterator<Item = (String, Vec<String>)>) -> Graph {
        let (names, wanted): (Vec<String>, Vec<Vec<String>>) = resources.into_iter().unzip();
        let at: HashMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let known = |wanted: &Vec<String>| {
            let mut needs: Vec<usize> = wanted.iter().filter_map(|name| at.get(name.as_str()).copied()).collect();
            needs.sort_unstable();
            needs.dedup();
            needs
        };
        let needs = wanted.iter().map(known).collect();
        Graph { names, needs }
    }

    fn name(&self, at: usize) -> &str {
        self.names.get(at).map_or("", String::as_str)
    }

    fn needs_of(&self, at: usize) -> &[usize] {
        self.needs.get(at).map_or(&[], Vec::as_slice)
    }

    /// The names, each after all that it needs; those of a circle are left out. Among those that are ready the order is
    /// that of the template.
    pub fn order(&self) -> Vec<&str> {
        let mut open: Vec<usize> = self.needs.iter().map(Vec::len).collect();
        let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); self.names.len()];
        for (at, needs) in self.needs.iter().enumerate() {
            for need in needs {
                waiting[*need].push(at);
            }
        }
        let mut ready: std::collections::BTreeSet<usize> =
            open.iter().enumerate().filter(|(_, open)| **open == 0).map(|(at, _)| at).collect();
        let mut order = Vec::new();
        while let Some(at) = ready.pop_first() {
            order.push(self.name(at));
            for &then in &waiting[at] {
                open[then] -= 1;
                if open[then] == 0 {
                    ready.insert(then);
                }
            }
        }
        order
    }

    /// Resources that need each other, each followed by one that it needs, the first once more at the end.
    pub fn circle(&self) -> Option<Vec<&str>> {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            New,
            Open,
            Done,
        }
        let mut marks = vec![Mark::New; self.names.len()];
        for start in 0..self.names.len() {
            // What is being followed, and which need of it is next.
            let mut path = vec![(start, 0)];
            if marks[start] != Mark::New {
                continue;
            }
            marks[start] = Mark::Open;
            while let Some((at, next)) = path.last_mut() {
                let Some(&need) = self.needs_of(*at).get(*next) else {
                    marks[*at] = Mark::Done;
                    path.pop();
                    continue;
                };
                *next += 1;
                match marks[need] {
                    Mark::Done => {}
                    Mark::New => {
                        marks[need] = Mark::Open;
                        path.push((need, 0));
                    }
                    Mark::Open => {
                        let begin = path.iter().position(|(at, _)| *at == need).unwrap_or_default();
                        let circle = path.iter().skip(begin).map(|(at, _)| self.name(*at));
                        return Some(circle.chain([self.name(need)]).collect());
                    }
                }
            }
        }
        None
    }

    /// The graph in the language of Graphviz: an arrow from each resource to what it needs.
    pub fn dot(&self, title: &str) -> String {
        let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let mut out = format!("digraph {} {{\n  rankdir=RL;\n  node [shape=box];\n", quoted(title));
        for (at, name) in self.names.iter().enumerate() {
            let _ = writeln!(out, "  {};", quoted(name));
            for need in self.needs_of(at) {
                let _ = writeln!(out, "  {} -> {};", quoted(name), quoted(self.name(*need)));
            }
        }
        out.push_str("}\n");
        out
    }
}

/// The members of a circle in turn; the first ones, where it is long.
pub fn in_turn(circle: &[&str]) -> String {
    let names: Vec<_> = circle.iter().take(MAX_SHOWN).map(|name| quoted(name)).collect();
    format!("{}{}", names.join(" -> "), if circle.len() > names.len() { " -> ..." } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(text: &str) -> Graph {
        let resource = |line: &str| {
            let (name, needs) = line.split_once(':').unwrap();
            (name.to_owned(), needs.split_whitespace().map(str::to_owned).collect())
        };
        Graph::new(text.split(';').map(str::trim).map(resource))
    }

    #[test]
    fn each_comes_after_what_it_needs_and_else_in_its_own_order() {
        assert_eq!(graph("web: net db; db: net; net: ; key: elsewhere").order(), ["net", "db", "web", "key"]);
        assert_eq!(graph("a: ; b: ; c: a").order(), ["a", "b", "c"]);
    }

    #[test]
    fn a_circle_is_told_by_its_members_in_turn() {
        assert_eq!(graph("a: b; b: c x; c: a; x: ").circle().unwrap(), ["a", "b", "c", "a"]);
        assert_eq!(graph("x: a; a: a").circle().unwrap(), ["a", "a"]);
        assert_eq!(graph("a: b c; b: c; c: ").circle(), None);
    }

    #[test]
    fn a_long_chain_needs_no_deep_stack() {
        let chain = Graph::new((0..50_000).map(|at| (at.to_string(), vec![(at + 1).to_string()])));
        assert_eq!(chain.circle(), None);
        assert_eq!(chain.order().len(), 50_000);
    }

    #[test]
    fn a_drawing_has_an_arrow_to_each_need() {
        let dot = graph("web: net; net: ").dot("my \"stack\"");
        let expected = "digraph \"my \\\"stack\\\"\" {\n  rankdir=RL;\n  node [shape=box];\n  \"web\";\n  \"web\" -> \"net\";\n  \"net\";\n}\n";
        assert_eq!(dot, expected);
    }
}
