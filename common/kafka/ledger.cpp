#include "common/kafka/ledger.hpp"

namespace tokenrail::kafka {

bool OffsetLedger::delivered(std::int64_t offset) {
  if (offset < next_) return false;
  incomplete_.insert(incomplete_.end(), offset);
  next_ = offset + 1;
  return true;
}

bool OffsetLedger::complete(std::int64_t offset) {
  return incomplete_.erase(offset) == 1;
}

}  // namespace tokenrail::kafka
