//! Webhooks sent again, held back, let go in another order, doubled.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::ActionError;
use crate::github_stand_in::state::{Delivery, DeliveryId, DeliveryOrder, DeliveryState, GitHub, now};

impl GitHub {
    /// Sends a delivery once more, with the same guid.
    ///
    /// # Errors
    /// There is no such delivery.
    pub fn redeliver(&mut self, id: DeliveryId) -> Result<DeliveryId, ActionError> {
        let found = self.deliveries.iter().find(|delivery| delivery.id == id);
        let original = found.cloned().ok_or_else(|| ActionError::no_such("delivery", id))?;
        let id = DeliveryId(self.ids.large());
        let request_headers = Vec::new();
        let again = DeliveryState::Pending;
        self.deliveries.push(Delivery {
            id,
            redelivery: true,
            created_at: now(),
            state: again,
            request_headers,
            ..original
        });
        Ok(id)
    }

    /// Nothing is delivered until [`GitHub::release_deliveries`].
    pub fn hold_deliveries(&mut self) {
        self.delivery_control.held = true;
    }

    /// What was held goes out, in an order.
    pub fn release_deliveries(&mut self, order: DeliveryOrder) {
        self.delivery_control.held = false;
        let pending = |delivery: &Delivery| matches!(delivery.state, DeliveryState::Pending);
        let (mut waiting, mut done): (Vec<_>, Vec<_>) = self.deliveries.drain(..).partition(pending);
        match order {
            DeliveryOrder::AsHappened => {}
            DeliveryOrder::Reversed => waiting.reverse(),
            DeliveryOrder::Shuffled { seed } => waiting.shuffle(&mut StdRng::seed_from_u64(seed)),
        }
        done.append(&mut waiting);
        self.deliveries = done;
    }

    /// How many more times each event from now on is delivered.
    pub fn duplicate_deliveries(&mut self, extra_copies: usize) {
        self.delivery_control.extra_copies = extra_copies;
    }
}
