#include "thalweg/energy/penalised.hpp"

namespace thalweg {
Penalised::Penalised(const Functional& objective, double weight, const Functional& penalty)
    : objective_(objective), weight_(weight), penalty_(penalty) {
  require(objective.size() == penalty.size(), "the objective and its penalty differ in size");
}

double Penalised::value(In y, Batch batch) const {
  return objective_.value(y, batch) + weight_ * penalty_.value(y, batch);
}

double Penalised::gradient(In y, Batch batch, Out g) const {
  const double value = objective_.gradient(y, batch, g);
  Vector more(size());
  const double penalty = penalty_.gradient(y, batch, more);
  g += weight_ * more;
  return value + weight_ * penalty;
}

void Penalised::hvp(In y, Batch batch, In w, Out hw) const {
  objective_.hvp(y, batch, w, hw);
  Vector more(size());
  penalty_.hvp(y, batch, w, more);
  hw += weight_ * more;
}

}  // namespace thalweg
