//! Products, by every name that a question may give them.

use crate::{
    access_products::{AccessProduct, AccessProducts},
    runner::{Applied, Poison, Projection, Rows},
};
use events::vocab::id::OwnerId;
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;

/// The products of all owners.
#[derive(Default)]
pub(super) struct Catalog {
    owners: HashMap<OwnerId, Owned>,
    /// Whose each access product is.
    owner_of: HashMap<Uuid, OwnerId>,
}

/// The products of one owner.
#[derive(Default)]
struct Owned {
    /// In the sandbox, and live.
    by_external_id: [HashMap<String, Arc<AccessProduct>>; 2],
    by_hosted: HashMap<Uuid, Arc<AccessProduct>>,
    by_id: HashMap<Uuid, Arc<AccessProduct>>,
}

impl Catalog {
    /// The product with the merchant's own id.
    pub fn by_external_id(&self, owner: OwnerId, live: bool, external_id: &str) -> Option<&Arc<AccessProduct>> {
        self.owners.get(&owner)?.by_external_id[usize::from(live)].get(external_id)
    }

    /// The access product of that id, or the one that the hosted product of that id backs.
    pub fn by_id(&self, owner: OwnerId, id: Uuid) -> Option<&Arc<AccessProduct>> {
        let owned = self.owners.get(&owner)?;
        owned.by_id.get(&id).or_else(|| owned.by_hosted.get(&id))
    }

    /// Takes the product in, in place of what was known of it.
    pub fn put(&mut self, product: AccessProduct) {
        let (id, Some(owner)) = (product.meta.id, product.meta.owner_id) else { return };
        self.owner_of.insert(id, owner);
        let owned = self.owners.entry(owner).or_default();
        if let Some(before) = owned.by_id.remove(&id) {
            owned.by_external_id[usize::from(before.meta.livemode)].remove(&before.external_product_id);
            owned.by_hosted.remove(&before.product_id.0);
        }
        let product = Arc::new(product);
        owned.by_external_id[usize::from(product.meta.livemode)].insert(product.external_product_id.clone(), product.clone());
        owned.by_hosted.insert(product.product_id.0, product.clone());
        owned.by_id.insert(id, product);
    }

    /// Folds one event in.
    pub fn fold(&mut self, event: &Applied<'_>) -> Result<(), Poison> {
        let mut rows: Rows<AccessProduct> = Rows::partial();
        for id in AccessProducts::keys(event.event).ids {
            let known = self.owner_of.get(&id).and_then(|owner| self.owners.get(owner)?.by_id.get(&id));
            known.into_iter().for_each(|product| rows.loaded(AccessProduct::clone(product)));
        }
        AccessProducts::apply(&mut rows, event)?;
        rows.take_changed(usize::MAX).into_iter().for_each(|row| self.put(row.clone()));
        Ok(())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.owner_of.len()
    }
}
