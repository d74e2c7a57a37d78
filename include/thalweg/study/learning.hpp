#pragma once

#include "thalweg/data/dataset.hpp"
#include "thalweg/energy/risk.hpp"
#include "thalweg/study/settings.hpp"

namespace thalweg {

/// A network on data, with the risk that training lowers: what an experiment has where model.kind=mlp.
struct Learning {
  Learning(const Settings& settings, Dataset data);
  Learning(const Learning&) = delete;
  Learning& operator=(const Learning&) = delete;

  const Dataset data;
  const Loss& loss;
  const Mlp model;
  const Risk risk;
};

/// Whether the settings train a network on data; otherwise model.kind is a row of landscapes().
inline bool learns(const Settings& settings) { return settings.model_kind == "mlp"; }

}  // namespace thalweg
