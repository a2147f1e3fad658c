use crate::conf::{Directive, Found};
use crate::directive::Context;
use crate::location::Place;

/// One directive, as it stands in a block.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its arguments, quotes and escapes resolved.
    pub arguments: Vec<Vec<u8>>,
    /// Where it is written: from the name to the last argument.
    pub place: Place,
    /// The kind of block it stands in.
    pub context: Context,
}

/// A block of a site, by number.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct BlockId(usize);

/// A block with what is set in it.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) parent: Option<BlockId>,
    pub(crate) context: Context,
    pub(crate) settings: Vec<Setting>,
}

/// The blocks of a site.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blocks {
    blocks: Vec<Block>,
}

impl Blocks {
    pub(crate) fn add(
        &mut self,
        parent: Option<BlockId>,
        context: Context,
        children: &[Found<'_>],
    ) -> BlockId {
        self.blocks.push(Block {
            parent,
            context,
            settings: settings_of(children, context),
        });
        BlockId(self.blocks.len() - 1)
    }

    pub(crate) fn get(&self, id: BlockId) -> Option<&Block> {
        self.blocks.get(id.0)
    }

    /// A block and those around it, the outermost first.
    pub(crate) fn around(&self, id: BlockId) -> Vec<&Block> {
        let mut chain: Vec<&Block> =
            std::iter::successors(self.get(id), |block| self.get(block.parent?)).collect();
        chain.reverse();
        chain
    }

    /// The `if` and `limit_except` blocks inside a block, those inside each other too.
    pub(crate) fn conditional(&self, id: BlockId) -> Vec<&Block> {
        let mut found = Vec::new();
        let mut inside = vec![id];
        // A block comes after the one around it.
        for (number, block) in self.blocks.iter().enumerate() {
            let is_inside = block.parent.is_some_and(|parent| inside.contains(&parent));
            if is_inside && is_conditional(block.context) {
                inside.push(BlockId(number));
                found.push(block);
            }
        }
        found
    }
}

fn is_conditional(context: Context) -> bool {
    matches!(
        context,
        Context::If | Context::ServerIf | Context::LimitExcept
    )
}

/// The directives of a block that are settings: all but the blocks that are read on their own.
pub(crate) fn settings_of(children: &[Found<'_>], context: Context) -> Vec<Setting> {
    let settings = children.iter().filter(|child| !is_block(child.directive));
    settings
        .map(|child| Setting {
            name: String::from_utf8_lossy(child.directive.name()).into_owned(),
            arguments: child
                .directive
                .arguments()
                .iter()
                .map(|word| word.value().to_vec())
                .collect(),
            place: Place {
                file: child.file,
                span: child.directive.head(),
            },
            context,
        })
        .collect()
}

fn is_block(directive: &Directive) -> bool {
    const BLOCKS: [&str; 10] = [
        "events",
        "http",
        "location",
        "upstream",
        "map",
        "geo",
        "split_clients",
        "if",
        "limit_except",
        "stream",
    ];
    let is_server = directive.is("server") && !directive.children().is_empty();
    is_server || BLOCKS.iter().any(|name| directive.is(name))
}

impl Setting {
    /// An argument as text, from 0; bytes that are not UTF-8 replaced.
    pub fn argument(&self, index: usize) -> Option<String> {
        let argument = self.arguments.get(index)?;
        Some(String::from_utf8_lossy(argument).into_owned())
    }

    /// The arguments with blanks between them, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.arguments.join(&b' ')).into_owned()
    }
}
