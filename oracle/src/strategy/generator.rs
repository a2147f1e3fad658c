use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::draft::{Draft, draft};
use super::target::target;

/// Tables and targets without end, the same ones for the same seed.
#[derive(Debug)]
pub struct Generator {
    runner: TestRunner,
}

impl Generator {
    /// One that begins with this seed.
    pub fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        Self {
            runner: TestRunner::new_with_rng(Config::default(), rng),
        }
    }

    /// The next table.
    pub fn draft(&mut self) -> Draft {
        self.next_of(&draft())
    }

    /// The next targets around these paths.
    pub fn targets(&mut self, texts: &[Vec<u8>], count: usize) -> Vec<Vec<u8>> {
        let texts = if texts.is_empty() {
            vec![b"/".to_vec()]
        } else {
            texts.to_vec()
        };
        let strategy = target(texts);
        (0..count).map(|_| self.next_of(&strategy)).collect()
    }

    fn next_of<T: Strategy>(&mut self, strategy: &T) -> T::Value {
        let tree = strategy.new_tree(&mut self.runner);
        tree.expect("no strategy of ours rejects what it made")
            .current()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_everything() {
        let all = |seed| {
            let mut generator = Generator::new(seed);
            let draft = generator.draft();
            (generator.targets(&draft.texts(), 20), draft)
        };
        assert_eq!(all(7), all(7));
        assert_ne!(all(7), all(8));
    }
}
