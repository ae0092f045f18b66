// Catalogues of models in the database: their entries, what they change about models, and quality scores. Blocking; see
// governed_database.hpp. What a person set is never changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/catalog/catalog.hpp"
#include "common/catalog/plan.hpp"
#include "common/registry/document.hpp"
#include "common/registry/governed_database.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

/// How many entries one transaction writes.
inline constexpr std::size_t catalog_batch = 200;

struct CatalogImport {
  catalog::Source source = catalog::Source::litellm;
  std::string file_name{};
  std::int64_t listed = 0;
  std::int64_t added = 0;
  std::int64_t changed = 0;
  std::int64_t unchanged = 0;
  std::int64_t gone = 0;
  std::int64_t held = 0;
  std::int64_t refused = 0;
};

struct QualityScore {
  std::string provider;
  std::string model_name;
  std::string metric;
  std::string source;
  std::string score;  ///< a decimal number from 0 to 1, at most four digits behind the point
  std::string date;   ///< YYYY-MM-DD
};

/// Of one model: each is part of its event, which routers hold in memory.
inline constexpr int scored_metrics_max = 64;

class Catalogs {
 public:
  explicit Catalogs(GovernedDatabase& database) : database_(database) {}

  /// All entries of a catalogue.
  Result<std::vector<catalog::KnownEntry>> entries(const Actor& actor, catalog::Source source);
  /// The same, a page: provider, modelName, entry, held, rejected and gone.
  Result<DocumentPage> entry_page(const Actor& actor, catalog::Source source, const PageRequest& page);
  /// Writes entries of an import, puts them into the models that they are about, and publishes those. One transaction;
  /// at most catalog_batch entries. Returns how many models changed. Errors: forbidden.
  Result<std::int64_t> apply(const Actor& actor, catalog::Source source,
                             std::span<const catalog::PlannedEntry> entries);
  /// What follows from the names of the models that the registry has, by the rules of this program. Returns how many
  /// models changed; nothing is written where all is as it was.
  Result<std::int64_t> infer(const Actor& actor);
  Result<void> record(const Actor& actor, const CatalogImport& import);

  /// Scores of models of the platform; one of the same metric and source is replaced. One transaction. Returns how many
  /// models changed; `unknown` gets those that the registry does not have. Errors: invalid_input, with nothing written,
  /// where a model would have scores of more than scored_metrics_max metrics.
  Result<std::int64_t> set_scores(const Actor& actor, std::span<const QualityScore> scores,
                                  std::vector<std::string>& unknown);

  /// What the registry knows and what it lacks: counts by provider, free and paid models, missing prices, unknown
  /// limits, held entries, and how old catalogues and lists are: the platform's lists for its administrators only, as
  /// the syncs of its connections are.
  Result<Document> inspect(const Actor& actor, const Scope& scope);

 private:
  GovernedDatabase& database_;
};

}  // namespace tokenrail::registry
