/** The diagram that a new file begins with: it runs without a key, and takes a moment to watch. */
export const EXAMPLE = `version: light
name: Debate
persons:
  # The service "demo" answers by itself. For a real model write for instance
  # {service: openai, model: gpt-4.1-nano} and set OPENAI_API_KEY.
  Optimist:
    service: demo
    system_prompt: You see the best in things.
  Pessimist:
    service: demo
    system_prompt: You see what can go wrong.
  Judge:
    service: demo
    system_prompt: You decide who was right.
nodes:
  - label: start
    type: start
    custom_data: {topic: tea}
  - label: for
    type: person_job
    person: Optimist
    prompt: Argue for {{topic}}.
    max_iteration: 2
  - label: against
    type: person_job
    person: Pessimist
    prompt: "Argue against: {{for}}"
    max_iteration: 2
  - label: enough
    type: condition
    condition_type: detect_max_iterations
  - label: verdict
    type: person_job
    person: Judge
    memory: ALL_MESSAGES
    prompt: Who was right?
  - label: result
    type: endpoint
connections:
  - {from: start, to: for}
  - {from: for, to: against}
  - {from: against, to: enough}
  - {from: "enough[condfalse]", to: for}
  - {from: "enough[condtrue]", to: verdict}
  - {from: verdict, to: result}
`;
