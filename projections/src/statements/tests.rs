use super::*;
use crate::testkit::{Sample, hash};
use events::vocab::{
    event::{EntrySums, StatementAsset, StatementImported, Sums},
    id::StatementId,
    money::SignedTotal,
};
use uuid::Uuid;

#[test]
fn a_statement_is_one_row_of_its_file() {
    let sample = Sample::new();
    let id = StatementId(Uuid::from_u128(7));
    let at = Timestamp::from_micros(1_800_000_000_000_000);
    let sums = Sums {
        statement_total: SignedTotal(-5),
        difference: SignedTotal(-5),
        statement_only: EntrySums { entries: 1, statement: SignedTotal(-5), ledger: SignedTotal(0) },
        ..Sums::default()
    };
    let imported = StatementImported {
        statement_id: id,
        source: StatementSource::Stripe,
        account: "acct_1".into(),
        asset: StatementAsset { code: "usd".into(), decimals: 2, mint: None },
        period_start: at,
        period_end: at.plus_days(1),
        format: StatementFormat::StripeCsv,
        digest: hash(b"file"),
        bytes: 4,
        items: 1,
        through_position: 9,
        sums: sums.try_into().unwrap(),
        chunks: 1,
        by: "staff-1".into(),
    };
    let rows = sample.fold::<Statements>(&[sample.at(imported, id)]);
    let row = rows.get(id).unwrap();
    assert_eq!((row.digest, row.sums.get().difference, row.imported_by.as_str()), (hash(b"file"), SignedTotal(-5), "staff-1"));
    let json = serde_json::to_value(row).unwrap();
    assert_eq!(json["sums"]["statement_only"]["statement"], "-5", "digits, which are exact everywhere");
    assert_eq!(serde_json::from_value::<Statement>(json).unwrap(), *row);
}
