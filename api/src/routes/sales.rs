//! What buyers paid, as merchants are shown it.

use events::vocab::bytes::SolanaAddress;
use projections::payments::Sales;
use serde::Serialize;
use utoipa::ToSchema;

/// What buyers paid in one asset.
#[derive(Serialize, ToSchema)]
pub struct SalesView {
    asset_symbol: String,
    asset_decimals: u8,
    #[schema(value_type = String)]
    token_mint: SolanaAddress,
    confirmed_count: u64,
    gross_amount_minor_units: u64,
    merchant_amount_minor_units: u64,
    fee_minor_units: u64,
}

impl From<Sales> for SalesView {
    fn from(sales: Sales) -> Self {
        SalesView {
            asset_symbol: sales.asset_symbol,
            asset_decimals: sales.asset_decimals,
            token_mint: sales.asset_mint,
            confirmed_count: sales.confirmed_count,
            gross_amount_minor_units: sales.gross,
            merchant_amount_minor_units: sales.merchant,
            fee_minor_units: sales.fee,
        }
    }
}
