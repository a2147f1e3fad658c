/// Byte strings in a tree: each node is a prefix of some of them.
#[derive(Clone, Debug)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    byte: u8,
    parent: u32,
    first_child: u32,
    next_sibling: u32,
    /// Number of the string that ends here, or [`NONE`].
    point: u32,
}

const NONE: u32 = u32::MAX;

impl Trie {
    /// A tree of strings that are sorted and without repetition; they are numbered from 0.
    pub(crate) fn of(points: &[&[u8]]) -> Self {
        let mut nodes = vec![Node {
            byte: 0,
            parent: NONE,
            first_child: NONE,
            next_sibling: NONE,
            point: NONE,
        }];
        let mut stem: Vec<u32> = vec![0];
        let mut before: &[u8] = b"";
        for (number, point) in (0_u32..).zip(points) {
            let common = before
                .iter()
                .zip(*point)
                .take_while(|(left, right)| left == right)
                .count();
            stem.truncate(common + 1);
            for byte in &point[common..] {
                let parent = stem.last().copied().unwrap_or(0);
                let fresh =
                    u32::try_from(nodes.len()).expect("fewer than four billion bytes of names");
                let sibling = nodes[parent as usize].first_child;
                nodes.push(Node {
                    byte: *byte,
                    parent,
                    first_child: NONE,
                    next_sibling: sibling,
                    point: NONE,
                });
                nodes[parent as usize].first_child = fresh;
                stem.push(fresh);
            }
            nodes[*stem.last().expect("the root is always there") as usize].point = number;
            before = point;
        }
        Self { nodes }
    }

    /// The nodes one byte further, with that byte.
    pub(crate) fn children(&self, node: u32) -> impl Iterator<Item = (u8, u32)> + '_ {
        let there = |at: u32| (at != NONE).then_some(at);
        let first = there(self.nodes[node as usize].first_child);
        let siblings = std::iter::successors(first, move |at| {
            there(self.nodes[*at as usize].next_sibling)
        });
        siblings.map(|at| (self.nodes[at as usize].byte, at))
    }

    /// The string that ends at a node.
    pub(crate) fn point(&self, node: u32) -> Option<usize> {
        let point = self.nodes[node as usize].point;
        (point != NONE).then_some(point as usize)
    }

    /// The bytes from the root to a node.
    pub(crate) fn text(&self, node: u32) -> Vec<u8> {
        let mut text = Vec::new();
        let mut at = node;
        while self.nodes[at as usize].parent != NONE {
            text.push(self.nodes[at as usize].byte);
            at = self.nodes[at as usize].parent;
        }
        text.reverse();
        text
    }
}
