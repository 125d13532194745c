// Which skill is asked for by which numbers, and who has it. Pure.
import type { NumberEntry, Profile } from "@/api/client";

export interface Cover {
  skill: string;
  /** The highest level that a number asks for; 0: none asks. */
  level: number;
  numbers: string[];
  /** Active agents with any level, the best first. */
  able: { agent: string; name: string; level: number }[];
  /** Somebody asks for it, and nobody has it at that level. */
  isGap: boolean;
}

export function coverage(agents: readonly Profile[], numbers: readonly NumberEntry[]): Cover[] {
  const active = agents.filter((one) => one.active);
  const asked = new Map<string, { level: number; numbers: string[] }>();
  for (const entry of numbers) {
    for (const need of entry.needs) {
      const known = asked.get(need.skill) ?? { level: 0, numbers: [] };
      asked.set(need.skill, { level: Math.max(known.level, need.level), numbers: [...known.numbers, entry.number] });
    }
  }
  const skills = [...new Set([...asked.keys(), ...active.flatMap((one) => Object.keys(one.skills))])];
  return skills
    .map((skill) => {
      const { level, numbers: by } = asked.get(skill) ?? { level: 0, numbers: [] };
      const able = active
        .flatMap((one) => (one.skills[skill] ? [{ agent: one.agent, name: one.name, level: one.skills[skill] }] : []))
        .sort((a, b) => b.level - a.level || a.agent.localeCompare(b.agent));
      return { skill, level, numbers: by, able, isGap: level > 0 && !able.some((one) => one.level >= level) };
    })
    .sort((a, b) => Number(b.isGap) - Number(a.isGap) || b.numbers.length - a.numbers.length || b.able.length - a.able.length);
}
