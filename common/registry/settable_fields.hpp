// The fields of a model that a row may set over the row above it: one table for reading and for writing them. Internal
// to the module.
#pragma once

#include <array>
#include <string_view>

namespace tokenrail::registry {

/// A field that a row may set over the one above it. A row's `override` contains the fields that it has set.
struct Settable {
  std::string_view column;
  std::string_view name;
  std::string_view type;   ///< of SQL, to read the patch with; "jsonb" takes the value as it is
  std::string_view empty;  ///< SQL: what the column has where it has not been set
};

inline constexpr std::array settable{
    Settable{"hidden", "hidden", "boolean", "false"},
    Settable{"display_name", "displayName", "text", "''"},
    Settable{"description", "description", "text", "''"},
    Settable{"family", "family", "text", "''"},
    Settable{"license", "license", "text", "''"},
    Settable{"kind", "kind", "text", "kind"},
    Settable{"lifecycle", "lifecycle", "text", "'active'"},
    Settable{"deprecates_at", "deprecatesAt", "timestamptz", "NULL"},
    Settable{"retires_at", "retiresAt", "timestamptz", "NULL"},
    Settable{"replacement_id", "replacementId", "uuid", "NULL"},
    Settable{"maintenance_until", "maintenanceUntil", "timestamptz", "NULL"},
    Settable{"maintenance_reason", "maintenanceReason", "text", "''"},
    Settable{"context_window", "contextWindow", "bigint", "NULL"},
    Settable{"input_tokens_max", "inputTokensMax", "bigint", "NULL"},
    Settable{"output_tokens_max", "outputTokensMax", "bigint", "NULL"},
    Settable{"embedding_dimensions", "embeddingDimensions", "bigint", "NULL"},
    Settable{"capabilities", "capabilities", "jsonb", "'{}'"},
    Settable{"metadata", "metadata", "jsonb", "'{}'"},
    Settable{"params", "params", "jsonb", "'{}'"},
};

}  // namespace tokenrail::registry
