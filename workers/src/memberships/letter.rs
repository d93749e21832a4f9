//! What a reminder says (OPS-62).

use events::vocab::{id::MailId, words::MailKind};
use ledger::{
    mail::{Queue, one_line},
    membership::Member,
    product::Product,
};

/// One reminder.
pub(super) struct Letter<'a> {
    /// Where checkout pages are.
    pub web_url: &'a str,
    /// What the member has paid for, as it is sold today.
    pub product: &'a Product,
    /// By what name buyers know the seller.
    pub seller: Option<String>,
    /// Who is reminded.
    pub member: &'a Member,
}

impl Letter<'_> {
    /// The mail, sealed with the member's key.
    pub fn queue(&self, mail_id: MailId, to: &str) -> Queue {
        let title = self.product.facts().map(|facts| one_line(&facts.title)).filter(|title| !title.is_empty());
        let title = title.as_deref().unwrap_or("Your membership");
        Queue {
            mail_id,
            kind: MailKind::RenewalReminder,
            subject_id: self.member.subject_id,
            receipt_id: None,
            membership_id: Some(self.member.membership_id),
            to: to.to_owned(),
            subject: format!("{title}: paid until {}", self.member.period_end.in_words()),
            text: self.text(title),
        }
    }

    fn text(&self, title: &str) -> String {
        let member = self.member;
        let sold = match &self.seller {
            Some(seller) => format!("{title} ({})", one_line(seller)),
            None => title.to_owned(),
        };
        let mut paragraphs = vec![format!("{sold} is paid until {}.", member.period_end.in_words())];
        if member.grace_period_days > 0 {
            paragraphs.push(format!("If you do not renew it, your access ends on {}.", member.grace_end().in_words()));
        }
        paragraphs.extend(self.renewal());
        paragraphs.push("Nothing is taken from your wallet without your signature.".into());
        paragraphs.push("You receive this mail because you gave your address when you paid.".into());
        paragraphs.join("\n\n")
    }

    /// How to go on. What the access API sells has no page of its own, and what is sold no more cannot be renewed.
    fn renewal(&self) -> Vec<String> {
        let early = "What you pay before the end is added to it: no day is lost.";
        match self.product {
            Product::Active(facts) if facts.access_product_id.is_none() => {
                vec![format!("Renew it here:\n{}/p/{}", self.web_url, facts.slug), early.into()]
            }
            Product::Active(_) => vec!["You renew it where you bought it.".into(), early.into()],
            Product::Archived(_) | Product::Absent => vec!["It is no longer sold, so it cannot be renewed.".into()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::vocab::{
        bytes::SolanaAddress,
        event::{Asset, Branding, ProductCreated},
        money::Minor,
        time::Timestamp,
        words::ProductType,
    };
    use ledger::membership::Standing;
    use uuid::Uuid;

    fn product(slug: &str, title: &str) -> ProductCreated {
        ProductCreated {
            product_id: Uuid::from_u128(1).into(),
            slug: slug.into(),
            product_type: ProductType::PaymentLink,
            title: title.into(),
            description: None,
            image_url: None,
            amount: Minor::new(200_000).unwrap(),
            asset: Asset { symbol: "USDC".into(), decimals: 6, mint: SolanaAddress([1; 32]) },
            merchant_wallet: SolanaAddress([2; 32]),
            delivery_type: None,
            tip_presets: Vec::new(),
            max_payments: None,
            branding: Branding::default(),
            membership: None,
            access_product_id: None,
            subject_id: None,
            quote: None,
        }
    }
    fn member(grace_period_days: u32) -> Member {
        // 15 January 2027, 08:00 UTC.
        let end = Timestamp::from_micros(1_800_000_000_000_000);
        Member {
            membership_id: Uuid::from_u128(2).into(),
            product_id: Uuid::from_u128(1).into(),
            access_product_id: None,
            subject_id: Uuid::from_u128(3).into(),
            payments: vec![Uuid::from_u128(4).into()],
            linked: vec![],
            period_start: end.plus_seconds(-30 * 86_400),
            period_end: end,
            grace_period_days,
            reminder_offsets: vec![7],
            reminded: None,
            cancelled: false,
            standing: Standing::Active,
        }
    }
    fn said(product: &Product, seller: Option<&str>, grace: u32) -> Queue {
        let letter = Letter { web_url: "https://www.hilt.so", product, seller: seller.map(str::to_owned), member: &member(grace) };
        letter.queue(MailId(Uuid::from_u128(5)), "buyer@example.com")
    }

    #[test]
    fn it_says_until_when_and_where_to_renew() {
        let mail = said(&Product::Active(Box::new(product("lounge", "Members lounge"))), Some("Example Merchant"), 3);
        assert_eq!(mail.subject, "Members lounge: paid until 15 January 2027, 08:00 UTC");
        for needed in [
            "Members lounge (Example Merchant) is paid until 15 January 2027, 08:00 UTC.",
            "your access ends on 18 January 2027, 08:00 UTC.",
            "Renew it here:\nhttps://www.hilt.so/p/lounge\n",
        ] {
            assert!(mail.text.contains(needed), "{needed} is not in {}", mail.text);
        }
        assert_eq!((mail.kind, mail.membership_id), (MailKind::RenewalReminder, Some(Uuid::from_u128(2).into())));
    }

    #[test]
    fn what_is_sold_no_more_is_not_offered() {
        let mail = said(&Product::Archived(Box::new(product("lounge", "Members lounge"))), None, 0);
        assert!(mail.text.contains("no longer sold") && !mail.text.contains("/p/lounge"), "{}", mail.text);
        assert!(!mail.text.contains("your access ends on"), "without grace it ends with the paid time: {}", mail.text);
    }

    #[test]
    fn nothing_of_the_sellers_begins_a_line_or_a_header() {
        let hostile = product("x", "Lounge\r\nBcc: thief@example.com\n\nhttps://evil.example/");
        let mail = said(&Product::Active(Box::new(hostile)), Some("Shop\nhttps://evil.example/"), 0);
        assert!(!mail.subject.contains(['\r', '\n']), "{}", mail.subject);
        assert!(!mail.text.lines().any(|line| line.starts_with("https://evil") || line.starts_with("Bcc")), "{}", mail.text);
    }
}
