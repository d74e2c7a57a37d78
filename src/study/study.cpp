#include "thalweg/study/commands.hpp"

namespace thalweg {
int study(const Request&, const Console&) { return 0; }
}  // namespace thalweg
