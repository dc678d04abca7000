SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.adapters (
    name text NOT NULL,
    version text NOT NULL,
    path text NOT NULL,
    digest text NOT NULL,
    base_digest text NOT NULL,
    rank integer NOT NULL,
    created_us bigint NOT NULL,
    state text NOT NULL,
    provenance text NOT NULL,
    probe text NOT NULL
);
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.aliases (
    name text NOT NULL,
    adapter text NOT NULL,
    changed_us bigint NOT NULL
);
CREATE TABLE public.answers (
    inference_id text NOT NULL,
    number integer NOT NULL,
    written text NOT NULL,
    sent text NOT NULL,
    finish_reason text,
    tool_calls text NOT NULL,
    tokens text NOT NULL,
    logprobs text NOT NULL,
    alternatives text NOT NULL
);
CREATE TABLE public.escalations (
    id text NOT NULL,
    created_us bigint NOT NULL,
    inference_id text NOT NULL,
    project text NOT NULL,
    reason text NOT NULL,
    document text NOT NULL
);
CREATE TABLE public.feedback (
    id text NOT NULL,
    created_us bigint NOT NULL,
    inference_id text NOT NULL,
    kind text NOT NULL,
    project text NOT NULL,
    number bigint,
    other text,
    text text NOT NULL,
    idempotency_key text NOT NULL,
    user_hash text NOT NULL
);
CREATE TABLE public.findings (
    inference_id text NOT NULL,
    "position" integer NOT NULL,
    stage text NOT NULL,
    check_name text NOT NULL,
    rule text NOT NULL,
    severity text NOT NULL,
    document text NOT NULL
);
CREATE TABLE public.id_keys (
    number integer NOT NULL,
    secret bytea NOT NULL,
    created_us bigint NOT NULL
);
CREATE TABLE public.inferences (
    id text NOT NULL,
    created_us bigint NOT NULL,
    api text NOT NULL,
    outcome text NOT NULL,
    status integer NOT NULL,
    action text NOT NULL,
    alias text NOT NULL,
    adapter text NOT NULL,
    base_model text NOT NULL,
    project text NOT NULL,
    policy_digest text NOT NULL,
    rules_digest text NOT NULL,
    base_digest text NOT NULL,
    template_digest text NOT NULL,
    vllm_version text NOT NULL,
    logprobs_mode text NOT NULL,
    user_hash text NOT NULL,
    conversation_id text NOT NULL,
    streamed boolean NOT NULL,
    stored boolean NOT NULL,
    prompt_tokens integer,
    completion_tokens integer,
    total_us bigint NOT NULL,
    guard_input_us bigint NOT NULL,
    guard_output_us bigint NOT NULL,
    engine_us bigint,
    first_token_us bigint,
    error text NOT NULL,
    request text NOT NULL,
    unchecked text NOT NULL,
    escalation text NOT NULL
);
CREATE TABLE public.registry_changes (
    number integer NOT NULL,
    changed_us bigint NOT NULL,
    subject text NOT NULL,
    name text NOT NULL,
    action text NOT NULL,
    before text NOT NULL,
    after text NOT NULL,
    who text NOT NULL,
    why text NOT NULL
);
CREATE TABLE public.retractions (
    feedback_id text NOT NULL,
    project text NOT NULL,
    retracted_us bigint NOT NULL
);
INSERT INTO public.adapters VALUES ('aiops', '1', '/adapters/aiops', 'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 16, 1780000000000001, 'loaded', '', '');
INSERT INTO public.alembic_version VALUES ('0002');
INSERT INTO public.aliases VALUES ('default', 'aiops@1', 1780000000000000);
INSERT INTO public.answers VALUES ('chatcmpl-0000000000000000000000000000000000000001', 0, 'Check disk', 'Check disk', 'stop', '', '["Check"," disk"]', '[-0.12345678955316544,-1.5]', '[[["Check",-0.12345678955316544],["Look",-2.5]],[]]');
INSERT INTO public.escalations VALUES ('esc-0000000000000000000000000000000000000001', 1780000000000001, 'chatcmpl-0000000000000000000000000000000000000001', 'default', 'requested', '{"id":"esc-1","reason":"requested","summary":"wants a person","attempted":[],"diagnostics":{}}');
INSERT INTO public.feedback VALUES ('fb-0000000000000000000000000000000000000001', 1780000000000001, 'chatcmpl-0000000000000000000000000000000000000001', 'thumbs', 'default', 1, NULL, '', 'key-1', 'uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu');
INSERT INTO public.feedback VALUES ('fb-0000000000000000000000000000000000000002', 1780000000000002, 'chatcmpl-0000000000000000000000000000000000000001', 'thumbs', 'default', 1, NULL, '', 'key-2', 'uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu');
INSERT INTO public.findings VALUES ('chatcmpl-0000000000000000000000000000000000000001', 0, 'output', 'commands', 'files.delete', 'critical', '{"check":"commands","rule":"files.delete","severity":"critical","span":[0,8],"stage":"output"}');
INSERT INTO public.id_keys VALUES (1, '\xacb386c41da51039b3843cba1d85dfda861fbccacaffc437776fc5eaf1c90182', 1795631317392241);
INSERT INTO public.inferences VALUES ('chatcmpl-0000000000000000000000000000000000000001', 1780000000000001, 'chat', 'completed', 200, 'allow', 'default', 'base', 'SmolLM2-135M-Instruct', 'default', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', 'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd', '0.32.0', 'processed_logprobs', 'uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu', 'c-1', false, true, 12, 2, 9000, 120, 80, 8500, 2000, '', '{"model":"default","messages":[{"role":"user","content":"disk full"}],"temperature":0.7,"top_p":0.9,"seed":7,"max_tokens":64,"stop":["END"],"wardgate":{"conversation_id":"c-1"}}', '[{"check":"harm","reason":"budget"}]', '{"id":"e"}');
INSERT INTO public.registry_changes VALUES (1, 1780000000000000, 'adapter', 'aiops@1', 'registered', '', 'registered', 'home', 'it was better');
INSERT INTO public.registry_changes VALUES (2, 1780000000000000, 'alias', 'default', 'made', '', 'base', 'home', 'it was better');
INSERT INTO public.registry_changes VALUES (3, 1780000000000000, 'adapter', 'aiops@1', 'loaded', 'registered', 'loaded', 'home', 'it was better');
INSERT INTO public.registry_changes VALUES (4, 1780000000000000, 'alias', 'default', 'promoted', 'base', 'aiops@1', 'home', 'it was better');
INSERT INTO public.retractions VALUES ('fb-0000000000000000000000000000000000000001', 'default', 1780000000000500);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.adapters
    ADD CONSTRAINT pk_adapters PRIMARY KEY (name, version);
ALTER TABLE ONLY public.aliases
    ADD CONSTRAINT pk_aliases PRIMARY KEY (name);
ALTER TABLE ONLY public.answers
    ADD CONSTRAINT pk_answers PRIMARY KEY (inference_id, number);
ALTER TABLE ONLY public.escalations
    ADD CONSTRAINT pk_escalations PRIMARY KEY (id);
ALTER TABLE ONLY public.feedback
    ADD CONSTRAINT pk_feedback PRIMARY KEY (id);
ALTER TABLE ONLY public.findings
    ADD CONSTRAINT pk_findings PRIMARY KEY (inference_id, "position");
ALTER TABLE ONLY public.id_keys
    ADD CONSTRAINT pk_id_keys PRIMARY KEY (number);
ALTER TABLE ONLY public.inferences
    ADD CONSTRAINT pk_inferences PRIMARY KEY (id);
ALTER TABLE ONLY public.registry_changes
    ADD CONSTRAINT pk_registry_changes PRIMARY KEY (number);
ALTER TABLE ONLY public.retractions
    ADD CONSTRAINT pk_retractions PRIMARY KEY (feedback_id);
CREATE INDEX ix_escalations_created_us_id ON public.escalations USING btree (created_us, id);
CREATE INDEX ix_escalations_inference_id ON public.escalations USING btree (inference_id);
CREATE INDEX ix_feedback_created_us_id ON public.feedback USING btree (created_us, id);
CREATE INDEX ix_feedback_inference_id ON public.feedback USING btree (inference_id);
CREATE INDEX ix_findings_check_name_rule ON public.findings USING btree (check_name, rule);
CREATE INDEX ix_inferences_conversation_id_created_us ON public.inferences USING btree (conversation_id, created_us);
CREATE INDEX ix_inferences_created_us_id ON public.inferences USING btree (created_us, id);
CREATE INDEX ix_inferences_project_created_us ON public.inferences USING btree (project, created_us);
CREATE INDEX ix_registry_changes_subject_name_number ON public.registry_changes USING btree (subject, name, number);
ALTER TABLE ONLY public.answers
    ADD CONSTRAINT fk_answers_inference_id FOREIGN KEY (inference_id) REFERENCES public.inferences(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.findings
    ADD CONSTRAINT fk_findings_inference_id FOREIGN KEY (inference_id) REFERENCES public.inferences(id) ON DELETE CASCADE;
