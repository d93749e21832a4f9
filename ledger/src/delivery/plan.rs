//! How a product hands over what it sells, from its own events.

use events::vocab::{
    event::{Event, MembershipConfig, ProductChange},
    words::{DeliveryMode, DeliveryType},
};

/// Which providers this deployment can ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Automation {
    /// A Telegram bot.
    pub telegram: bool,
    /// A Discord bot.
    pub discord: bool,
}

/// What a product says of handing over. The value itself is sealed beside its events.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Settings {
    /// What is handed over, if anything is.
    pub delivery_type: Option<DeliveryType>,
    /// Where a bot lets members in.
    pub membership: Option<MembershipConfig>,
}

impl Settings {
    /// The settings after one more event of the product.
    pub fn after(mut self, event: &Event) -> Self {
        match event {
            Event::ProductCreated(created) => {
                self.delivery_type = created.delivery_type;
                self.membership.clone_from(&created.membership);
            }
            Event::ProductUpdated(updated) => {
                for change in &updated.changes {
                    match change {
                        ProductChange::DeliveryType(delivery_type) => self.delivery_type = *delivery_type,
                        ProductChange::Membership(membership) => self.membership.clone_from(membership),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        self
    }

    /// What is handed over and how; `None` when there is nothing to hand over. What the deployment or the product does not let a bot
    /// do is handed over as the product's own value.
    pub fn mode(&self, automation: Automation) -> Option<(DeliveryType, DeliveryMode)> {
        let delivery_type = self.delivery_type?;
        let mode = match delivery_type {
            DeliveryType::TelegramInvite if automation.telegram && self.target().is_some() => DeliveryMode::TelegramBot,
            DeliveryType::DiscordInvite if automation.discord && self.target().is_some() && self.discord_place() => {
                DeliveryMode::DiscordBot
            }
            DeliveryType::Redirect | DeliveryType::TelegramInvite | DeliveryType::DiscordInvite => DeliveryMode::StaticValue,
        };
        Some((delivery_type, mode))
    }

    /// The Telegram chat or Discord guild.
    pub fn target(&self) -> Option<&str> {
        filled(self.membership.as_ref()?.platform_target_id.as_deref())
    }

    /// The Discord role of a member.
    pub fn role(&self) -> Option<&str> {
        filled(self.membership.as_ref()?.platform_role_id.as_deref())
    }

    /// The Discord channel that an invite leads to.
    pub fn channel(&self) -> Option<&str> {
        filled(self.membership.as_ref()?.platform_channel_id.as_deref())
    }

    fn discord_place(&self) -> bool {
        self.role().is_some() || self.channel().is_some()
    }
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}
